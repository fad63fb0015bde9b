import { freshIdentity } from './identity.ts';
import type { Lane } from './lane.ts';
import type { Live } from './live.ts';
import { freshMemory, parseMemory, type Memory } from './memory.ts';
import { backoffMs, NO_FAILURES } from './pace.ts';
import type { Ports } from './ports.ts';
import type { UserProof } from './push-client-options.ts';
import type { ClientError, PushClient, PushEventName, PushEvents } from './push-client.ts';

/** What there is one of at a time. */
export type EndName =
  | 'store'
  | 'tokens'
  | 'question'
  | 'asking'
  | 'request'
  | 'patience'
  | 'sleep'
  | 'warning';

/**
 * What a process has of one installation: its ports, what it knows, and where its work stands.
 * Whoever has it can act for the installation.
 */
export interface Engine extends Ports, Live {
  /** The app's publishable key. */
  readonly key: string;
  readonly proofs: Map<string, UserProof>;
  /** What there is to tell the server, in the order in which it goes out. */
  readonly lanes: readonly Lane[];
  readonly listeners: Set<(name: PushEventName, event: PushEvents[PushEventName]) => void>;
  /** What ends each timer, question, request or subscription that there is. */
  readonly ends: Map<EndName, () => void>;
  /** What `settled` waits for. */
  readonly underWay: Set<Promise<unknown>>;
  /** Of each kind, in a row. */
  readonly failures: Record<keyof typeof NO_FAILURES, number>;
  lastError: ClientError | null;
  /** Called with every token that the system gives. */
  onToken?: () => void;
  /** What was planned in an earlier one is not begun any more. */
  epoch: number;
  /** When the last request was due, at an even pace. */
  lastDueAt: number;
  outbox: Promise<void> | null;
  isAsked: boolean;
  /** Somebody asked for it at once since the outbox began its step. */
  isUrgent: boolean;
  isEnded: boolean;
}

/** What this process knows from now on. */
export function learn(engine: Engine, news: Partial<Live>): void {
  Object.assign(engine, news);
}

/**
 * Reads and replaces the memory in one step. Whoever comes first makes the installation, which is
 * then as durable as anything else before the first request tells of it.
 */
export function update<T>(
  { store, cryptography }: Engine,
  make: (memory: Memory) => readonly [memory: Memory, result: T],
): Promise<T> {
  const spare = freshIdentity(cryptography);
  return store.update((text) => {
    const [memory, result] = make(parseMemory(text) ?? freshMemory(spare));
    return { text: JSON.stringify(memory), result };
  });
}

/** Keeps a change, and answers what there is then. */
export function change(engine: Engine, make: (memory: Memory) => Memory): Promise<Memory> {
  return update(engine, (memory) => {
    const next = make(memory);
    return [next, next];
  });
}

/** The memory as it is. */
export function read(engine: Engine): Promise<Memory> {
  return change(engine, (memory) => memory);
}

/** Ends what there is of that name, which may have ended by itself. */
export function end({ ends }: Engine, name: EndName): void {
  ends.get(name)?.();
}

/** Something new in place of what there is of that name; at the end of all nothing begins. */
export function replace(engine: Engine, name: EndName, ending: () => void): void {
  end(engine, name);
  engine.ends.set(name, ending);
  if (engine.isEnded) ending();
}

/** Calls back after so long, in place of an earlier call of that name. */
export function later(engine: Engine, name: EndName, ms: number, callback: () => void): void {
  replace(engine, name, engine.time.after(ms, callback));
}

/** One failure more, and how long it is waited after it. */
export function failed({ failures, cryptography }: Engine, name: keyof Engine['failures']): number {
  const [chance = 0] = cryptography.randomBytes(1);
  const waitMs = backoffMs(failures[name], chance / 256);
  failures[name] += 1;
  return waitMs;
}

/** The next failure of that kind is the first one again. */
export function succeeded({ failures }: Engine, name: keyof Engine['failures']): void {
  failures[name] = NO_FAILURES[name];
}

/** Has `settled` wait for some work, whose failure is told to the app. */
export function track(engine: Engine, work: Promise<unknown>): void {
  const told = work
    .catch((error: unknown) => report(engine, 'storage', String(error)))
    .finally(() => engine.underWay.delete(told));
  engine.underWay.add(told);
}

/** `PushClient.settled`. */
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

/** `PushClient.on`. */
export function listen({ listeners }: Engine): PushClient['on'] {
  return (wanted, listener) => {
    const hear = (name: PushEventName, event: PushEvents[PushEventName]): void => {
      if (name === wanted) listener(event as PushEvents[typeof wanted]);
    };
    listeners.add(hear);
    return () => listeners.delete(hear);
  };
}

/** Tells the app what went wrong, and keeps it for `status`. */
export function report(engine: Engine, code: string, detail: string): void {
  engine.lastError = { code, detail, at: new Date(engine.time.now()) };
  emit(engine, 'error', engine.lastError);
}
