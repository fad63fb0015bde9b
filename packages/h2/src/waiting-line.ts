import type { Http2Request, Http2RequestOptions, Http2Result } from './exchange.ts';
import type { NotStartedCause } from './exchange.ts';

/** A request that no connection has room for at the moment. */
export interface WaitingRequest {
  readonly request: Http2Request;
  readonly options: Http2RequestOptions;
  readonly resolve: (result: Http2Result) => void;
  /** How often a peer has refused it. */
  resends: number;
  /** The connection on which that happened last. */
  refusedBy: number | null;
}

/** `setTimeout` overflows to 1 ms above this. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The one listener of a signal that so many of the requests in the line share. */
interface SharedSignal {
  readonly listener: () => void;
  requests: number;
}

/**
 * Requests in the order of their arrival, each of which leaves unsent when its time is up or its
 * signal aborts. One timer, and one listener for each signal, serve the whole line: thousands of
 * requests share the signal of the process that they belong to.
 */
export class WaitingLine {
  readonly #waiting = new Set<WaitingRequest>();
  readonly #signals = new Map<AbortSignal, SharedSignal>();
  #timer: NodeJS.Timeout | null = null;
  #nextExpiry = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#waiting.size;
  }

  [Symbol.iterator](): IterableIterator<WaitingRequest> {
    return this.#waiting.values();
  }

  /** Lines up a request, unless it is too late for it already: then it has its result at once. */
  add(entry: WaitingRequest): void {
    const { signal, startBefore } = entry.options;
    if (signal.aborted) return giveUp(entry, 'aborted', 'by the caller');
    if (startBefore <= performance.now()) return giveUp(entry, 'expired', 'too late');
    this.#waiting.add(entry);
    this.#listen(signal);
    this.#expireBy(startBefore);
  }

  remove(entry: WaitingRequest): void {
    this.#waiting.delete(entry);
    this.#unlisten(entry.options.signal);
    if (this.#waiting.size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
  }

  giveBack(entry: WaitingRequest, cause: NotStartedCause, detail: string): void {
    if (!this.#waiting.has(entry)) return;
    this.remove(entry);
    giveUp(entry, cause, detail);
  }

  giveAllBack(cause: NotStartedCause, detail: string): void {
    for (const entry of this.#waiting) this.giveBack(entry, cause, detail);
  }

  #listen(signal: AbortSignal): void {
    const shared = this.#signals.get(signal);
    if (shared !== undefined) {
      shared.requests += 1;
      return;
    }
    const listener = (): void => this.#abort(signal);
    signal.addEventListener('abort', listener, { once: true });
    this.#signals.set(signal, { listener, requests: 1 });
  }

  #unlisten(signal: AbortSignal): void {
    const shared = this.#signals.get(signal);
    if (shared === undefined) return;
    shared.requests -= 1;
    if (shared.requests > 0) return;
    signal.removeEventListener('abort', shared.listener);
    this.#signals.delete(signal);
  }

  #abort(signal: AbortSignal): void {
    for (const entry of this.#waiting) {
      if (entry.options.signal === signal) this.giveBack(entry, 'aborted', 'by the caller');
    }
  }

  #expireBy(startBefore: number): void {
    if (startBefore >= this.#nextExpiry) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#nextExpiry = startBefore;
    const delayMs = Math.min(Math.ceil(startBefore - performance.now()), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#expire(), delayMs);
  }

  #expire(): void {
    this.#timer = null;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const entry of this.#waiting) {
      const { startBefore } = entry.options;
      if (startBefore <= now) this.giveBack(entry, 'expired', 'no room in time');
      else this.#expireBy(startBefore);
    }
  }
}

function giveUp(entry: WaitingRequest, cause: NotStartedCause, detail: string): void {
  entry.resolve({ kind: 'not_started', cause, detail });
}
