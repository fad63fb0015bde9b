import type { Match } from './fault.ts';

/** Where a held request stops: before anything has looked at it, or processed but unanswered. */
export type HoldPoint = 'arrival' | 'answer';

/**
 * A gate that requests wait at until a test opens it. `arrived` lets the test act at the very
 * moment at which a request is stuck, instead of guessing with a sleep.
 */
export class Hold implements Disposable {
  readonly match: Match;
  readonly point: HoldPoint;
  readonly #opened = Promise.withResolvers<void>();
  readonly #waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  readonly #onRelease: (hold: Hold) => void;
  #arrivals = 0;

  constructor(match: Match, point: HoldPoint, onRelease: (hold: Hold) => void) {
    this.match = match;
    this.point = point;
    this.#onRelease = onRelease;
  }

  /** Resolves as soon as `count` requests, in all, have reached the gate. */
  arrived(count = 1): Promise<void> {
    if (this.#arrivals >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ count, resolve });
    return promise;
  }

  /** Lets everything through that waits, and everything that comes later. */
  release(): void {
    this.#onRelease(this);
    this.#opened.resolve();
  }

  /** Called by the simulator for a request at the gate; resolves when the gate opens. */
  pass(): Promise<void> {
    this.#arrivals += 1;
    for (const waiter of this.#waiters) if (this.#arrivals >= waiter.count) waiter.resolve();
    return this.#opened.promise;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
