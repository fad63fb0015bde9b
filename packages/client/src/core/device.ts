import { change, learn, track, type Engine } from './engine.ts';
import type { Memory } from './memory.ts';
import { interrupt, poke } from './outbox.ts';
import type { Permission } from './ports.ts';
import { dropToken, listenForTokens, look } from './token-watch.ts';

/** What a process does for its device; `PushClient` says what each function promises. */

/** A process that lives for long checks in again, as often as the server keeps note of it. */
const CHECK_IN_MS = 6 * 3_600_000;

export async function start(engine: Engine): Promise<void> {
  listenForTokens(engine);
  await look(engine);
}

export async function subscribe(engine: Engine): Promise<Permission> {
  const { platform } = engine.ports;
  await want(engine, (memory) => ({ ...memory, isUnsubscribed: false }));
  if ((await platform.permission()) === 'default') await platform.requestPermission();
  return look(engine);
}

export async function unsubscribe(engine: Engine): Promise<void> {
  await want(engine, (memory) => ({ ...memory, isUnsubscribed: true }));
  await dropToken(engine);
}

export function wake(engine: Engine): void {
  const isOld = engine.ports.time.now() - engine.live.acknowledgedAt >= CHECK_IN_MS;
  if (isOld) learn(engine, { acknowledged: null });
  track(engine, look(engine));
  poke(engine, true);
}

/** Ends its timers and subscriptions, and gives up what is under way. */
export async function dispose(engine: Engine): Promise<void> {
  engine.isEnded = true;
  engine.question += 1;
  for (const cancel of engine.cancels.values()) cancel();
  interrupt(engine);
  await engine.outbox;
}

/** Keeps a wish and has it sent. */
export async function want(engine: Engine, make: (memory: Memory) => Memory): Promise<void> {
  await change(engine, make);
  poke(engine, true);
}
