import { setTimeout as delay } from 'node:timers/promises';

const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 50;

/** Waits that double from 2 ms to 50 ms, up to a deadline; for what can only be looked at. */
export class BackOff {
  #waitMs = FIRST_WAIT_MS;
  readonly #deadlineMs: number;

  constructor(timeoutMs: number) {
    this.#deadlineMs = performance.now() + timeoutMs;
  }

  /** Waits once more and returns true; returns false at once when the deadline has passed. */
  async wait(): Promise<boolean> {
    if (performance.now() >= this.#deadlineMs) return false;
    await delay(this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    return true;
  }
}
