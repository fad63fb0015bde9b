import { freshIdentity } from './identity.ts';
import type { Lane } from './lane.ts';
import type { Live } from './live.ts';
import { freshMemory, leavers, parseMemory, type Memory, type WantedUser } from './memory.ts';
import { backoffMs } from './pace.ts';
import type { Ports } from './ports.ts';
import type { ClientError, PushClient, PushEventName, PushEvents } from './push-client.ts';
import type { PushClientOptions } from './push-client-options.ts';

/** A system that has failed to give a token is asked again after longer than a server. */
export const FEWEST_TOKEN_FAILURES = 4;

/** What a process has of one installation; whoever has it can act for the installation. */
export interface Engine {
  readonly options: PushClientOptions;
  readonly ports: Ports;
  /** What there is to tell the server, in the order in which it goes out. */
  readonly lanes: readonly Lane[];
  readonly listeners: Set<(name: PushEventName, event: PushEvents[PushEventName]) => void>;
  /** What ends each timer or subscription that there is. */
  readonly cancels: Map<string, () => void>;
  /** What `settled` waits for. */
  readonly underWay: Set<Promise<unknown>>;
  /** Of each kind, in a row. */
  readonly failures: Record<'send' | 'repeat' | 'prove' | 'token', number>;
  live: Live;
  lastError: ClientError | null;
  /** A token was heard, or will be asked for anew: nobody waits for it any more. */
  heard: () => void;
  /** Called with every token that the system gives. */
  onToken: () => void;
  /** The newest question for a token; answers to earlier ones are of the past. */
  question: number;
  /** What was planned in an earlier one is not begun any more. */
  epoch: number;
  /** Gives up what the outbox waits for. */
  abort: () => void;
  /** When the last request was due, at an even pace. */
  lastDueAt: number;
  outbox: Promise<void> | null;
  isAsked: boolean;
  isEnded: boolean;
}

export function learn(engine: Engine, news: Partial<Live>): void {
  engine.live = { ...engine.live, ...news };
}

/**
 * Reads and replaces the memory in one step. Whoever comes first makes the installation, which is
 * then as durable as anything else before the first request tells of it.
 */
export function update<T>(
  { ports }: Engine,
  change: (memory: Memory) => readonly [memory: Memory, result: T],
): Promise<T> {
  const spare = freshIdentity(ports.cryptography);
  return ports.store.update((text) => {
    const [memory, result] = change(parseMemory(text) ?? freshMemory(spare));
    return { text: JSON.stringify(memory), result };
  });
}

export function read(engine: Engine): Promise<Memory> {
  return update(engine, (memory) => [memory, memory]);
}

/** Keeps a change, and tells who is not signed in any more by it. */
export function change(
  engine: Engine,
  make: (memory: Memory) => Memory,
): Promise<readonly WantedUser[]> {
  return update(engine, (memory) => {
    const next = make(memory);
    return [next, leavers(memory, next)];
  });
}

/** Calls back after so long, in place of an earlier call of that name. */
export function later(engine: Engine, name: string, ms: number, callback: () => void): void {
  engine.cancels.get(name)?.();
  if (!engine.isEnded) engine.cancels.set(name, engine.ports.time.after(Math.max(1, ms), callback));
}

/** One failure more, and how long it is waited after it. */
export function failed({ failures, ports }: Engine, name: keyof Engine['failures']): number {
  const [high = 0, low = 0] = ports.cryptography.randomBytes(2);
  failures[name] += 1;
  return backoffMs(failures[name] - 1, (high * 256 + low) / 65_536);
}

/** Has `settled` wait for some work, whose failure is told to the app. */
export function track(engine: Engine, work: Promise<unknown>): void {
  const told = work
    .catch((error: unknown) => report(engine, 'storage', String(error)))
    .finally(() => engine.underWay.delete(told));
  engine.underWay.add(told);
}

export async function settled({ underWay }: Engine): Promise<void> {
  while (underWay.size > 0) await Promise.all(underWay);
}

/** A listener that throws harms nobody but itself. */
export function emit<K extends PushEventName>(
  { listeners }: Engine,
  name: K,
  event: PushEvents[K],
): void {
  for (const listener of listeners) {
    try {
      listener(name, event);
    } catch (error) {
      console.error(error);
    }
  }
}

export function listen(engine: Engine): PushClient['on'] {
  return (wanted, listener) => {
    const hear = (name: PushEventName, event: PushEvents[PushEventName]): void => {
      if (name === wanted) listener(event as PushEvents[typeof wanted]);
    };
    engine.listeners.add(hear);
    return () => engine.listeners.delete(hear);
  };
}

/** Tells the app what went wrong, and keeps it for `status`. */
export function report(engine: Engine, code: string, detail: string): void {
  emit(engine, 'error', keepError(engine, code, detail));
}

export function reportToken(engine: Engine, code: string, detail: string): void {
  keepError(engine, 'token_error', `${code} ${detail}`);
  emit(engine, 'token_error', { code, detail });
}

function keepError(engine: Engine, code: string, detail: string): ClientError {
  return (engine.lastError = { code, detail, at: new Date(engine.ports.time.now()) });
}
