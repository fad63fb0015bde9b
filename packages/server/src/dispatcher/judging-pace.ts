/** Doubled with each time, up to the most: what waits is many rows, and few of them change. */
const LEAST_REST_MS = 10_000;
const MOST_REST_MS = 120_000;

/**
 * In which pauses of a lane that stands still its chunks are judged: in the first one, and then
 * again after 10, 20, 40, 80, and always 120 seconds at least. In such a pause each chunk is gated
 * once, since it is given back until the end of it. In the others they are left alone: a million
 * deliveries that wait for a provider would be read with every pause otherwise.
 *
 * Times are milliseconds of the application's clock.
 */
export class JudgingPace {
  #judgedUntil = 0;
  #againAt = 0;
  #restMs = LEAST_REST_MS;

  /** Whether chunks are judged in the pause that lasts until then. */
  allows(pauseUntil: number, now: number): boolean {
    if (pauseUntil === this.#judgedUntil) return true;
    if (now < this.#againAt) return false;
    this.#judgedUntil = pauseUntil;
    this.#againAt = now + this.#restMs;
    this.#restMs = Math.min(2 * this.#restMs, MOST_REST_MS);
    return true;
  }

  /** The lane works: the next time that it does not, chunks are judged at once. */
  reset(): void {
    this.#againAt = 0;
    this.#restMs = LEAST_REST_MS;
  }
}
