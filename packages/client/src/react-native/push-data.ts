import type { PushEnvelope } from '../core/push-client.ts';

export interface PushAction {
  readonly id: string;
  readonly title: string;
  readonly url?: string;
}

/** A push of Homing's as it arrived, by whichever provider. */
export interface ReceivedPush {
  readonly envelope: PushEnvelope;
  /** What a tap leads to. */
  readonly url: string | null;
  readonly actions: readonly PushAction[];
  /** What the app's back end put into `content.data`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** What the app has to draw itself; null where the system draws, or nothing is to be seen. */
  readonly drawing: Drawing | null;
}

/** What is to be drawn. */
export interface Drawing {
  /** Another drawing with the same tag takes the place of this one. */
  readonly tag: string;
  readonly title: string | null;
  readonly body: string | null;
  readonly image: string | null;
  readonly badge: number | null;
  readonly sound: string | null;
  readonly actions: readonly PushAction[];
  /** Goes with the notification, so that a tap can be judged: `readPush` takes it as well. */
  readonly data: Readonly<Record<string, string>>;
}

type Data = Readonly<Record<string, unknown>>;

/**
 * Reads the data of a push: flat `homing_…` entries as FCM has them, or an object under `homing` as
 * APNs and Expo have it. Null for what is not of Homing.
 */
export function readPush(data: unknown): ReceivedPush | null {
  if (!isData(data)) return null;
  const nested = asData(data['homing']);
  return nested === null ? readFlat(data) : readNested(data, nested);
}

function readFlat(data: Data): ReceivedPush | null {
  const id = textOf(data['homing_notification']);
  if (id === null) return null;
  const rcpt = textOf(data['homing_rcpt']);
  const challenge = textOf(data['homing_challenge']);
  const actions = actionsOf(data['homing_actions']);
  const own = Object.entries(data).filter(([name]) => !name.startsWith('homing_'));
  return {
    envelope: { id, ...(rcpt !== null && { rcpt }), ...(challenge !== null && { challenge }) },
    url: textOf(data['homing_url']),
    actions,
    data: Object.fromEntries(own),
    drawing: drawingOf(data, actions),
  };
}

/** The system has drawn such a push, or will. */
function readNested(data: Data, nested: Data): ReceivedPush | null {
  const id = textOf(nested['id']);
  if (id === null) return null;
  const rcpt = textOf(nested['rcpt']);
  const challenge = textOf(nested['challenge']);
  const { homing: _, ...own } = data;
  return {
    envelope: { id, ...(rcpt !== null && { rcpt }), ...(challenge !== null && { challenge }) },
    url: textOf(nested['url']),
    actions: actionsOf(nested['actions']),
    data: own,
    drawing: null,
  };
}

/** Only what an SDK is to draw has a tag. */
function drawingOf(data: Data, actions: readonly PushAction[]): Drawing | null {
  const tag = textOf(data['homing_tag']);
  if (tag === null) return null;
  const badge = textOf(data['homing_badge']);
  return {
    tag,
    title: textOf(data['homing_title']),
    body: textOf(data['homing_body']),
    image: textOf(data['homing_image']),
    badge: badge === null ? null : Number(badge),
    sound: textOf(data['homing_sound']),
    actions,
    data: textsOf(data),
  };
}

function actionsOf(value: unknown): readonly PushAction[] {
  const list = typeof value === 'string' ? parseJson(value) : value;
  return Array.isArray(list) ? list.filter(isAction) : [];
}

function isAction(value: unknown): value is PushAction {
  return isData(value) && typeof value['id'] === 'string' && typeof value['title'] === 'string';
}

/** Android hands objects over as text where they came in a data message. */
function asData(value: unknown): Data | null {
  const object = typeof value === 'string' ? parseJson(value) : value;
  return isData(object) ? object : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function textsOf(data: Data): Readonly<Record<string, string>> {
  const texts = Object.entries(data).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
