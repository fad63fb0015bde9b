import assert from 'node:assert/strict';
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
  /** Its neighbours in the line, and whether it stands there: for the line alone. */
  ahead: WaitingRequest | null;
  behind: WaitingRequest | null;
  isWaiting: boolean;
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
 *
 * The requests are linked to each other. In a `Set` those that have left stay as holes until it is
 * made anew, and whoever looks for the first one passes all of them: an eighth of the processor
 * time of a client that always has somebody waiting.
 */
export class WaitingLine {
  #first: WaitingRequest | null = null;
  #last: WaitingRequest | null = null;
  #size = 0;
  readonly #signals = new Map<AbortSignal, SharedSignal>();
  #timer: NodeJS.Timeout | null = null;
  #nextExpiry = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#size;
  }

  /** Whoever has waited longest; null when nobody does. */
  get first(): WaitingRequest | null {
    return this.#first;
  }

  /** Lines up a request, unless it is too late for it already: then it has its result at once. */
  add(entry: WaitingRequest): void {
    const { signal, startBefore } = entry.options;
    if (signal.aborted) return giveUp(entry, 'aborted', 'by the caller');
    if (startBefore <= performance.now()) return giveUp(entry, 'expired', 'too late');
    this.#append(entry);
    this.#listen(signal);
    this.#expireBy(startBefore);
  }

  remove(entry: WaitingRequest): void {
    assert(entry.isWaiting, 'only what waits can leave');
    this.#unlink(entry);
    this.#unlisten(entry.options.signal);
    if (this.#size > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
  }

  giveBack(entry: WaitingRequest, cause: NotStartedCause, detail: string): void {
    if (!entry.isWaiting) return;
    this.remove(entry);
    giveUp(entry, cause, detail);
  }

  giveAllBack(cause: NotStartedCause, detail: string): void {
    while (this.#first !== null) this.giveBack(this.#first, cause, detail);
  }

  /** As they are now: each of them may leave while one looks at them. */
  #all(): readonly WaitingRequest[] {
    const all: WaitingRequest[] = [];
    for (let entry = this.#first; entry !== null; entry = entry.behind) all.push(entry);
    return all;
  }

  #append(entry: WaitingRequest): void {
    entry.ahead = this.#last;
    entry.isWaiting = true;
    if (this.#last === null) this.#first = entry;
    else this.#last.behind = entry;
    this.#last = entry;
    this.#size += 1;
  }

  #unlink(entry: WaitingRequest): void {
    const { ahead, behind } = entry;
    if (ahead === null) this.#first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    entry.ahead = null;
    entry.behind = null;
    entry.isWaiting = false;
    this.#size -= 1;
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
    for (const entry of this.#all()) {
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
    for (const entry of this.#all()) {
      const { startBefore } = entry.options;
      if (startBefore <= now) this.giveBack(entry, 'expired', 'no room in time');
      else this.#expireBy(startBefore);
    }
  }
}

function giveUp(entry: WaitingRequest, cause: NotStartedCause, detail: string): void {
  entry.resolve({ kind: 'not_started', cause, detail });
}
