/** So that what happened before a violation is there, and ten minutes of a phone fit. */
const MOST_LINES = 400;

/** What one phone did and what came to it, in order: printed when something was wrong with it. */
export class Diary {
  readonly owner: string;
  readonly #now: () => number;
  readonly #lines: string[] = [];
  #forgotten = 0;

  /** The clock gives milliseconds since the beginning. */
  constructor(owner: string, now: () => number) {
    this.owner = owner;
    this.#now = now;
  }

  note(line: string): void {
    this.#lines.push(`${this.#now().toFixed(0).padStart(8)} ms  ${line}`);
    if (this.#lines.length <= MOST_LINES) return;
    this.#lines.shift();
    this.#forgotten += 1;
  }

  get text(): string {
    const before = this.#forgotten === 0 ? [] : [`(${this.#forgotten} lines before these)`];
    return [`diary of ${this.owner}:`, ...before, ...this.#lines].join('\n');
  }
}
