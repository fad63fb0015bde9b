import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, freshSeed } from '../../../../test/seeded-random.ts';
import { renderInstant } from '../../src/http/render-instant.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** ECMA-262 section 21.4.1.1: the furthest that a date reaches. */
const LAST_MS = 8.64e15;

test('an instant is written as the engine writes it, whichever it is', (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  const edges = [0, DAY_MS, LAST_MS, -LAST_MS, Date.UTC(2024, 1, 29), Date.UTC(10_000, 0, 1)];
  const around = edges.flatMap((edge) => [edge - 1, edge, edge + 1, edge + DAY_MS - 1]);
  const anywhere = Array.from({ length: 5_000 }, () =>
    Math.floor((random.next() * 2 - 1) * LAST_MS),
  );
  const instants = [...around, ...anywhere].filter((time) => Math.abs(time) <= LAST_MS);
  for (const time of instants) {
    const instant = new Date(time);
    assert.equal(renderInstant(instant), instant.toISOString());
  }
});

test('what is no instant is refused as the engine refuses it', () => {
  assert.throws(() => renderInstant(new Date(Number.NaN)), RangeError);
});
