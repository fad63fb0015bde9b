import type { Clock } from '../domain/clock.ts';

/** What was changed by another process is followed at most this much later. */
const FRESH_MS = 2_000;
/** Names that are remembered at most; far above what one server meets in two seconds. */
const CAPACITY = 10_000;

interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly until: number;
}

/** Answers of the database that are asked for with every request, kept for two seconds. */
export class BriefMemory<Name, Value> {
  readonly #clock: Clock;
  readonly #ask: (name: Name) => Promise<Value>;
  readonly #entries = new Map<Name, Entry<Value>>();
  /** Look-ups under way: who misses something at the same time waits for the same one. */
  readonly #underWay = new Map<Name, Promise<Value>>();

  constructor(clock: Clock, ask: (name: Name) => Promise<Value>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** What is remembered of a name, or what the database says. */
  find(name: Name): Promise<Value> {
    return this.known(name) ?? this.findAfresh(name);
  }

  /** What is remembered of a name; null when it has to be asked for. */
  known(name: Name): Promise<Value> | null {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.until > this.#clock().getTime() ? entry.value : null;
  }

  /** What the database says now, for whoever misses something in what is remembered. */
  findAfresh(name: Name): Promise<Value> {
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    const value = this.#ask(name).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, value);
    if (this.#entries.size >= CAPACITY) this.#entries.clear();
    const entry = { value, until: this.#clock().getTime() + FRESH_MS };
    this.#entries.set(name, entry);
    // A failed look-up is not an answer to remember.
    value.catch(() => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
    });
    return value;
  }

  /** Asks again for everything: this process has changed something. */
  forget(): void {
    this.#entries.clear();
    this.#underWay.clear();
  }
}
