import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JudgingPace } from '../../src/dispatcher/judging-pace.ts';

const SECOND_MS = 1_000;

/** Seconds at which chunks are judged while one pause of a second follows the other. */
function judgedAt(pace: JudgingPace, seconds: number): readonly number[] {
  const all = Array.from({ length: seconds }, (_, second) => second);
  return all.filter((second) => pace.allows((second + 1) * SECOND_MS, second * SECOND_MS));
}

test('what waits is judged less and less often, and at least every two minutes', () => {
  const expected = [0, 10, 30, 70, 150, 270, 390];
  assert.deepEqual(judgedAt(new JudgingPace(), 400), expected);
});

test('all of what waits is judged in the same pause, however long it takes', () => {
  const pace = new JudgingPace();
  assert.ok(pace.allows(60 * SECOND_MS, 0));
  assert.ok(pace.allows(60 * SECOND_MS, 59 * SECOND_MS));
});

test('a lane that worked meanwhile begins anew', () => {
  const pace = new JudgingPace();
  judgedAt(pace, 400);
  pace.reset();
  assert.ok(pace.allows(402 * SECOND_MS, 401 * SECOND_MS));
});
