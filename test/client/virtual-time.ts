import type { Time } from '../../packages/client/src/core/ports.ts';

interface Timer {
  at: number;
  readonly callback: () => void;
}

/** Time that stands still until it is moved, and then stops at every timer on its way. */
export class VirtualTime implements Time {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now: number = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Somebody sets the clock back; timers are not due any later for that. */
  setBack(ms: number): void {
    this.#now -= ms;
    for (const timer of this.#timers) timer.at -= ms;
  }

  /** When the next timer is due; null when nothing waits. */
  get next(): number | null {
    const instants = [...this.#timers].map(({ at }) => at);
    return instants.length === 0 ? null : Math.min(...instants);
  }

  /** Lets time pass; after each timer, and before the first, everything is brought to rest. */
  async advance(ms: number, rest: () => Promise<void>): Promise<void> {
    const end = this.#now + ms;
    await rest();
    for (let timer = this.#due(end); timer !== undefined; timer = this.#due(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
      await rest();
    }
    this.#now = end;
  }

  #due(end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}
