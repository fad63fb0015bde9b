/** A fixed number of places that are taken in turn, first come first served. */
export class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Takes a place; false when there was none before `until`, on the scale of `performance.now()`,
   * or before the signal aborted. Whoever got true has to give the place back.
   */
  async take(until: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#free > 0) {
      this.#free -= 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const serve = (): void => resolve(true);
    // One that was served meanwhile has its place, and finds out itself that it is too late.
    const leave = (): void => {
      if (this.#waiting.delete(serve)) resolve(false);
    };
    this.#waiting.add(serve);
    const timer = setTimeout(leave, Math.max(until - performance.now(), 0));
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    }
  }

  giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
