import { change, learn, read, track, type Engine } from './engine.ts';
import type { Memory } from './memory.ts';
import { interrupt, poke } from './outbox.ts';
import type { Permission } from './ports.ts';
import { clearScreen } from './screen.ts';
import { dropToken, forgetToken, listenForTokens, look } from './token-watch.ts';

/** A process that lives for long checks in again, as often as the server keeps note of it. */
const CHECK_IN_MS = 6 * 3_600_000;

/** `PushClient.start`; a second call only looks again. */
export async function start(engine: Engine): Promise<void> {
  const { isScreenStale } = await read(engine);
  if (isScreenStale) await clearScreen(engine);
  listenForTokens(engine);
  await look(engine);
}

/** What `PushClient.subscribe` comes to once the person was asked, where that had to be. */
export async function register(engine: Engine): Promise<Permission> {
  await want(engine, (memory) => ({ ...memory, isUnsubscribed: false }));
  return look(engine);
}

/** `PushClient.unsubscribe`. */
export async function unsubscribe(engine: Engine): Promise<void> {
  await want(engine, (memory) => ({ ...memory, isUnsubscribed: true }));
  await dropToken(engine);
}

/** `PushClient.wake`. */
export function wake(engine: Engine): void {
  const isOld = engine.time.now() - engine.acknowledgedAt >= CHECK_IN_MS;
  if (isOld) learn(engine, { acknowledged: null });
  track(engine, look(engine));
  poke(engine, true);
}

/** Ends its timers and subscriptions, and gives up what is under way. */
export async function dispose(engine: Engine): Promise<void> {
  engine.isEnded = true;
  forgetToken(engine);
  for (const end of engine.ends.values()) end();
  interrupt(engine);
  await engine.outbox;
}

/** Keeps a wish and has it sent. */
export async function want(engine: Engine, make: (memory: Memory) => Memory): Promise<void> {
  await change(engine, make);
  poke(engine, true);
}
