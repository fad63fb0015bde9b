import assert from 'node:assert/strict';
import type { Diary } from './diary.ts';

/** The first tell enough; later ones often follow from them. */
const MOST_KEPT = 3;

/**
 * What was wrong, from wherever it was noticed: much of it is noticed in calls of the client, which
 * would keep a failed assertion to itself.
 */
export class Violations {
  readonly #kept: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Keeps what was wrong together with the diary of the phone. */
  add(diary: Diary, what: string): void {
    this.#count += 1;
    diary.note(`VIOLATION: ${what}`);
    if (this.#kept.length < MOST_KEPT) this.#kept.push(`${diary.owner}: ${what}\n${diary.text}`);
  }

  /** Throws the first ones, with their diaries. */
  assertNone(): void {
    assert(this.#count === 0, `${this.#count} violations\n\n${this.#kept.join('\n\n')}`);
  }
}
