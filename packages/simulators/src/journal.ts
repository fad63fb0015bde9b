import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { FaultKind } from './fault.ts';

export type ProviderName = 'apns' | 'fcm' | 'hms' | 'webpush' | 'expo';
export type Environment = 'production' | 'sandbox';

/** One request as it came in and what became of it. */
export interface Entry {
  /** Counts up from 1 within the journal. */
  readonly sequence: number;
  readonly atMs: number;
  readonly provider: ProviderName;
  readonly environment: Environment | null;
  readonly connectionId: number;
  /** Null on HTTP/1.1. */
  readonly streamId: number | null;
  readonly method: string;
  readonly path: string;
  /** Without `authorization`, for which `credential` stands. */
  readonly headers: Readonly<Record<string, string>>;
  /** A fingerprint of the authorization header: equal values mean equal credentials. */
  readonly credential: string | null;
  readonly token: string | null;
  /** The parsed body; null when it could not be parsed, or when it carried a credential. */
  readonly body: unknown;
  readonly bodyBytes: number;
  /** The provider's id for the push: `apns-id`, FCM's message name, or Expo's ticket. */
  readonly providerId: string | null;
  /** Whether the provider now has the push, whatever the client was told. */
  readonly accepted: boolean;
  /** Null when the client got no answer. */
  readonly answer: { readonly status: number; readonly reason: string | null } | null;
  readonly fault: FaultKind | null;
}

export interface EntryFilter {
  readonly provider?: ProviderName;
  readonly token?: string;
  /** Only entries with a higher sequence number. */
  readonly after?: number;
  readonly limit?: number;
}

export interface JournalOptions {
  /** How many entries stay in memory; 0 keeps counters alone. */
  readonly capacity?: number;
  /** A file that gets every entry as one line of JSON, appended. */
  readonly file?: string;
  readonly onEntry?: (entry: Entry) => void;
}

export interface JournalCounters {
  readonly received: number;
  readonly accepted: number;
  /** By status and reason, such as "410 Unregistered"; "no answer" for the rest. */
  readonly byAnswer: Readonly<Record<string, number>>;
}

interface Waiter {
  readonly predicate: (entry: Entry) => boolean;
  readonly resolve: (entry: Entry) => void;
}

const DEFAULT_CAPACITY = 10_000;

/** Creates a journal. Simulators can share one, which gives their entries a common order. */
export function createJournal(options: JournalOptions = {}): Journal {
  return new Journal(options);
}

/** The append-only record of everything that simulators received. */
export class Journal implements AsyncDisposable {
  readonly #capacity: number;
  readonly #onEntry: ((entry: Entry) => void) | null;
  readonly #file: WriteStream | null;
  readonly #waiters = new Set<Waiter>();
  readonly #byAnswer = new Map<string, number>();
  // A ring: the entry with sequence s lies at index (s - 1) modulo the capacity.
  readonly #ring: Entry[] = [];
  #received = 0;
  #accepted = 0;

  constructor({ capacity = DEFAULT_CAPACITY, file, onEntry }: JournalOptions) {
    this.#capacity = capacity;
    this.#onEntry = onEntry ?? null;
    this.#file = file === undefined ? null : createWriteStream(file, { flags: 'a', mode: 0o600 });
  }

  /** Called by simulators, before the client can see the answer. */
  append(received: Omit<Entry, 'sequence'>): void {
    this.#received += 1;
    const entry: Entry = { sequence: this.#received, ...received };
    if (entry.accepted) this.#accepted += 1;
    const label = answerLabel(entry.answer);
    this.#byAnswer.set(label, (this.#byAnswer.get(label) ?? 0) + 1);
    if (this.#capacity > 0) this.#ring[(entry.sequence - 1) % this.#capacity] = entry;
    this.#file?.write(`${JSON.stringify(entry)}\n`);
    this.#onEntry?.(entry);
    for (const waiter of this.#waiters) {
      if (!waiter.predicate(entry)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(entry);
    }
  }

  get counters(): JournalCounters {
    return {
      received: this.#received,
      accepted: this.#accepted,
      byAnswer: Object.fromEntries(this.#byAnswer),
    };
  }

  /** What is still in memory and fits, oldest first. With `limit`, the first so many. */
  entries(filter: EntryFilter = {}): readonly Entry[] {
    const { after = 0, limit = Infinity } = filter;
    const oldest = Math.max(1, this.#received - this.#ring.length + 1, after + 1);
    const found: Entry[] = [];
    for (let sequence = oldest; sequence <= this.#received; sequence += 1) {
      if (found.length >= limit) break;
      const entry = this.#ring[(sequence - 1) % this.#capacity];
      if (entry !== undefined && fits(entry, filter)) found.push(entry);
    }
    return found;
  }

  /**
   * The first entry that fits: one already in memory, or else the next to come. Rejects when
   * none has come after `timeoutMs`.
   */
  async waitFor(
    predicate: (entry: Entry) => boolean,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Entry> {
    const present = this.entries().find(predicate);
    if (present !== undefined) return present;
    const { promise, resolve, reject } = Promise.withResolvers<Entry>();
    const waiter: Waiter = { predicate, resolve };
    this.#waiters.add(waiter);
    const timer = setTimeout(() => {
      reject(new Error(`No such journal entry within ${timeoutMs} ms.`));
    }, timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** Writes out what is buffered for the file. The journal must not be appended to afterwards. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#file === null || this.#file.closed) return;
    this.#file.end();
    await finished(this.#file);
  }
}

function answerLabel(answer: Entry['answer']): string {
  if (answer === null) return 'no answer';
  return answer.reason === null ? String(answer.status) : `${answer.status} ${answer.reason}`;
}

function fits(entry: Entry, { provider, token }: EntryFilter): boolean {
  if (provider !== undefined && entry.provider !== provider) return false;
  return token === undefined || entry.token === token;
}
