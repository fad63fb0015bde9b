import assert from 'node:assert/strict';
import type { Answer } from '../answer.ts';

/** Counts answers by their status, and by their code where they are refusals. */
export class AnswerTally {
  readonly #counts = new Map<string, number>();
  #serverErrors = 0;

  /** Counts an answer and hands it on. */
  add(answer: Answer): Answer {
    const code = answer.status < 400 ? '' : ` ${answer.body['code'] as unknown as string}`;
    const label = `${answer.status}${code}`;
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
    if (answer.status >= 500) this.#serverErrors += 1;
    return answer;
  }

  /** Answers that say that the server failed. */
  get serverErrors(): number {
    return this.#serverErrors;
  }

  /** While a database is away servers say 503; any other failure is a fault of theirs. */
  assertOnlyOutages(): void {
    const failures = [...this.#counts.keys()].filter((label) => /^5(?!03)/.test(label));
    assert.deepEqual(failures, [], JSON.stringify(this.byCode));
  }

  /** Such as `{ '200': 12, '409 token_held': 3 }`, in the order of the statuses. */
  get byCode(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => a.localeCompare(b)));
  }
}
