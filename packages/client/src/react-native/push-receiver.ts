import type { PushClient, PushEnvelope } from '../core/push-client.ts';
import type { Drawing, ReceivedPush } from './push-data.ts';
import type { Screen } from './screen.ts';

export interface PushReceiverOptions {
  readonly client: Pick<PushClient, 'received' | 'displayed' | 'opened' | 'dismissed' | 'settled'>;
  /** The one that the platform has. */
  readonly screen: Screen;
  /**
   * Something was tapped that is meant for whoever is signed in now: goes where the push leads, or
   * its action. May be called before there is anything on the screen to navigate.
   */
  open(push: ReceivedPush, actionId: string | null): void;
  /** A push is here for whoever is signed in; silent ones, too. */
  arrived?(push: ReceivedPush): void;
}

/**
 * What becomes of pushes, the same for every way in which they come. Methods reject only with what
 * the app's own functions throw.
 */
export interface PushReceiver {
  /**
   * Whether it may be shown; what the app has to draw is drawn then. Reported as displayed is what
   * is drawn by the app or by the `system`; null where there is nothing to be seen.
   */
  receive(push: ReceivedPush, drawing: Drawing | 'system' | null): Promise<boolean>;
  /** Opens it, once, if it is meant for whoever is signed in now. */
  open(push: ReceivedPush, actionId: string | null): Promise<void>;
  dismiss(push: ReceivedPush): Promise<void>;
  /** What there was to tell the server is told, or waits for another time. */
  settled(): Promise<void>;
}

/** A push that comes by two ways, or twice, does so within a few others. */
const REMEMBERED_PUSHES = 100;

/**
 * Draws each push once: Expo hands one over to the foreground and to the background task, and what
 * a provider may have lost is sent again. Whether it may be shown is asked each time, because
 * somebody may have signed out in between.
 *
 * Opens each once: of the tap that starts an app the modules tell by an event, and again when they
 * are asked what it was.
 */
export function createPushReceiver(options: PushReceiverOptions): PushReceiver {
  const { client, screen } = options;
  const drawn = new Set<string>();
  const opened = new Set<string>();

  async function receive(push: ReceivedPush, drawing: Drawing | 'system' | null): Promise<boolean> {
    const { envelope } = push;
    const { clears } = screen;
    // A memory that cannot be read shows nothing to anybody: it fails closed (rule R6).
    const verdict = await client.received(envelope).catch(() => 'withhold' as const);
    if (verdict === 'withhold') return false;
    const key = keyOf(envelope);
    const isFirst = !drawn.has(key);
    remember(drawn, key);
    const isDisplayed =
      drawing === 'system' ||
      (isFirst && drawing !== null && (await drawOn(screen, drawing, clears)));
    // Whoever logs out in between has cleared the screen before this was on it.
    if (isDisplayed && !(await client.displayed(envelope).catch(() => false))) return false;
    if (isFirst) options.arrived?.(push);
    return true;
  }

  return {
    receive,
    async open(push, actionId) {
      const key = `${keyOf(push.envelope)} ${actionId}`;
      if (opened.has(key)) return;
      remember(opened, key);
      const allowed = await client.opened(push.envelope).catch(() => false);
      if (allowed) options.open(push, actionId);
      // Whoever it is meant for may sign in and tap it then.
      else opened.delete(key);
    },
    dismiss: (push) => client.dismissed(push.envelope).catch(() => undefined),
    settled: () => client.settled().catch(() => undefined),
  };
}

/**
 * Whether it is on the screen then. A logout clears the screen. Where one did so after the push was
 * judged, the drawing may have come after it, and stand there for whoever is next.
 */
async function drawOn(screen: Screen, drawing: Drawing, clearsBefore: number): Promise<boolean> {
  // A system that draws nothing, as one whose permission was just taken, is nobody's error.
  const isDrawn = await screen.draw(drawing).then(
    () => true,
    () => false,
  );
  if (screen.clears === clearsBefore) return isDrawn;
  await screen.clear().catch(() => undefined);
  return false;
}

function remember(keys: Set<string>, key: string): void {
  keys.add(key);
  const [oldest] = keys;
  if (keys.size > REMEMBERED_PUSHES && oldest !== undefined) keys.delete(oldest);
}

/** Two users of a device with several are told of one notification apart. */
function keyOf({ id, rcpt, challenge }: PushEnvelope): string {
  return [id, rcpt, challenge].join(' ');
}
