import { Http2Session } from './http2-session.ts';
import type { Http2SessionOptions } from './http2-session.ts';
import type {
  Http2Request,
  Http2RequestOptions,
  Http2Result,
  NotStartedCause,
} from './http2-exchange.ts';

export interface Http2PoolOptions extends Http2SessionOptions {
  /**
   * How many connections may take requests at once; a second one is opened when the first is full.
   */
  readonly maxSessions: number;
}

/**
 * A peer that refuses the same request this often is overloaded; the caller may come back later.
 */
const MAX_RESENDS = 3;

/** The pause after the nth failed connection: 0.1 s doubling to 30 s, of which half is random. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;

/** `setTimeout` overflows to 1 ms above this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Waiting {
  readonly request: Http2Request;
  readonly options: Http2RequestOptions;
  readonly resolve: (result: Http2Result) => void;
  readonly onAbort: () => void;
  resends: number;
}

function pauseMs(failures: number): number {
  const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS);
  return ceiling * (0.5 + Math.random() / 2);
}

/**
 * A few HTTP/2 connections to one origin, and the only door to them.
 *
 * A request waits here, not in Node's own queue, until a connection has room; so it can be taken
 * back until then, and what has left this queue has been handed to a socket. Steps of its life:
 *
 * 1. `request` queues it;
 * 2. `#pump` moves it to the connection with the most room, or has `#grow` open one;
 * 3. `#exchange` awaits the answer, and queues it again when the peer vouches not to have processed
 * it; 4. it leaves the queue unsent when its time is up, its signal aborts, the pool closes, or
 * there is
 *    neither a connection nor leave to try another one (the pause after a failed one).
 */
export class Http2Pool implements AsyncDisposable {
  readonly #options: Http2PoolOptions;
  readonly #sessions = new Set<Http2Session>();
  readonly #waiting = new Set<Waiting>();
  #disposed = false;
  #failures = 0;
  #failure = '';
  #connectNotBefore = 0;
  #expiryTimer: NodeJS.Timeout | null = null;
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(options: Http2PoolOptions) {
    this.#options = options;
  }

  /** Sends once, resending only what was certainly not processed. Never rejects. */
  request(request: Http2Request, options: Http2RequestOptions): Promise<Http2Result> {
    return new Promise((resolve) => {
      const entry: Waiting = {
        request,
        options,
        resolve,
        onAbort: () => this.#giveBack(entry, 'aborted', 'by the caller'),
        resends: 0,
      };
      this.#enqueue(entry);
      this.#pump();
    });
  }

  /** Lets the connection of an earlier answer finish and puts new requests on another one. */
  retire(connection: number): void {
    for (const session of this.#sessions) {
      if (session.id === connection) session.drain();
    }
  }

  /**
   * The same for every connection that ever carried this credential and is younger than given. Late
   * answers may ask for it again without harm: connections made since then have not carried it.
   */
  retireCarriers(authorization: string, youngerThanMs = Number.POSITIVE_INFINITY): void {
    for (const session of this.#sessions) {
      if (session.ageMs < youngerThanMs && session.carried(authorization)) session.drain();
    }
  }

  /** Gives back what waits, awaits what is under way up to its deadline, closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#giveAllBack('closed', 'the pool is closing');
    await Promise.all(Array.from(this.#sessions, (session) => session.close()));
  }

  #enqueue(entry: Waiting): void {
    const { signal, startBefore } = entry.options;
    this.#waiting.add(entry);
    if (this.#disposed) return this.#giveBack(entry, 'closed', 'the pool is closing');
    if (signal.aborted) return this.#giveBack(entry, 'aborted', 'by the caller');
    if (startBefore <= performance.now()) return this.#giveBack(entry, 'expired', 'too late');
    signal.addEventListener('abort', entry.onAbort, { once: true });
    this.#expireBy(startBefore);
  }

  #pump(): void {
    for (const entry of this.#waiting) {
      const session = this.#roomiest();
      if (session === null) break;
      if (entry.options.startBefore <= performance.now()) {
        this.#giveBack(entry, 'expired', 'no room in time');
        continue;
      }
      this.#remove(entry);
      void this.#exchange(entry, session);
    }
    if (this.#waiting.size > 0) this.#grow();
  }

  #roomiest(): Http2Session | null {
    let best: Http2Session | null = null;
    for (const session of this.#sessions) {
      if (session.room > (best?.room ?? 0)) best = session;
    }
    return best;
  }

  async #exchange(entry: Waiting, session: Http2Session): Promise<void> {
    const result = await session.exchange(entry.request);
    if (result.kind !== 'refused') return entry.resolve(result);
    entry.resends += 1;
    this.#enqueue(entry);
    if (entry.resends > MAX_RESENDS) this.#giveBack(entry, 'refused', 'by the peer, repeatedly');
    this.#pump();
  }

  #grow(): void {
    const usable = Array.from(this.#sessions).filter(({ state }) => state !== 'draining');
    if (usable.some(({ state }) => state === 'connecting')) return;
    if (usable.length >= this.#options.maxSessions) return;
    if (performance.now() < this.#connectNotBefore) {
      // Somebody else may still make room; without a connection, waiting would only hide the
      // outage.
      if (usable.length === 0) this.#giveAllBack('connect_failed', this.#failure);
      return;
    }
    const session = new Http2Session(this.#options, () => this.#onChange(session));
    this.#sessions.add(session);
  }

  #onChange(session: Http2Session): void {
    if (session.state === 'closed' && this.#sessions.delete(session) && !session.everOpen) {
      this.#failures += 1;
      this.#failure = session.failure;
      this.#connectNotBefore = performance.now() + pauseMs(this.#failures);
    }
    if (session.state === 'open') this.#failures = 0;
    this.#pump();
  }

  #remove(entry: Waiting): void {
    this.#waiting.delete(entry);
    entry.options.signal.removeEventListener('abort', entry.onAbort);
    if (this.#waiting.size === 0 && this.#expiryTimer !== null) {
      clearTimeout(this.#expiryTimer);
      this.#expiryTimer = null;
      this.#nextExpiry = Number.POSITIVE_INFINITY;
    }
  }

  #giveBack(entry: Waiting, cause: NotStartedCause, detail: string): void {
    if (!this.#waiting.has(entry)) return;
    this.#remove(entry);
    entry.resolve({ kind: 'not_started', cause, detail });
  }

  #giveAllBack(cause: NotStartedCause, detail: string): void {
    for (const entry of this.#waiting) this.#giveBack(entry, cause, detail);
  }

  /** One timer serves the whole queue: it is set for the earliest deadline. */
  #expireBy(startBefore: number): void {
    if (startBefore >= this.#nextExpiry) return;
    if (this.#expiryTimer !== null) clearTimeout(this.#expiryTimer);
    this.#nextExpiry = startBefore;
    const delayMs = Math.min(Math.ceil(startBefore - performance.now()), MAX_TIMER_MS);
    this.#expiryTimer = setTimeout(() => this.#expire(), delayMs);
  }

  #expire(): void {
    this.#expiryTimer = null;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const entry of this.#waiting) {
      const { startBefore } = entry.options;
      if (startBefore <= now) this.#giveBack(entry, 'expired', 'no room in time');
      else this.#expireBy(startBefore);
    }
  }
}
