import assert from 'node:assert/strict';
import type { Answer } from './answer.ts';

/** Fails the test, with the answer's body, unless the status is the expected one. */
export function assertAnswered(answer: Answer, status: number): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
}
