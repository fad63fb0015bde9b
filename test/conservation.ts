import assert from 'node:assert/strict';
import type { AnswerBody } from './answer.ts';

const STATES = ['accepted', 'failed', 'expired', 'skipped', 'unknown', 'retrying', 'pending'];

/** The law of every report: each expected delivery is in exactly one state, at any time. */
export function assertConserved(report: AnswerBody): void {
  const counts = report['counts'] as unknown as Readonly<Record<string, number>>;
  const sum = STATES.reduce((total, state) => total + (counts[state] ?? Number.NaN), 0);
  assert.equal(sum, counts['expected'], JSON.stringify(counts));
}
