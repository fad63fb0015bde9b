import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RightOfWay } from '../../src/dispatcher/right-of-way.ts';
import { LIMITS } from '../../src/domain/limits.ts';

const SLOW_MS = LIMITS.gateSlowMs + 1;
const START = 10_000;

/** The spacing after so many milliseconds in each of which a check was slow. */
function spacingAfter(rights: RightOfWay, ms: number): number {
  for (let now = START; now < START + ms; now += 1) rights.checked(SLOW_MS, now);
  return rights.spacingMs(START + ms);
}

test('bulk waits for nothing where what is transactional is checked in time', () => {
  const rights = new RightOfWay();
  for (let now = START; now < START + 1_000; now += 1) {
    rights.checked(LIMITS.gateSlowMs, now);
    assert.equal(rights.enter(now), 0);
  }
});

test('its slices come further apart while that is slow, however often it is told', () => {
  assert.equal(spacingAfter(new RightOfWay(), 1), 3);
  assert.equal(spacingAfter(new RightOfWay(), 50), 3);
  assert.equal(spacingAfter(new RightOfWay(), 51), 6);
  assert.equal(spacingAfter(new RightOfWay(), 101), 12);
});

test('they are never further apart than the limit', () => {
  assert.equal(spacingAfter(new RightOfWay(), 10_000), LIMITS.bulkSpacingMs);
});

test('they go one after the other, of however many chunks they are', () => {
  const rights = new RightOfWay();
  const spacing = spacingAfter(rights, 101);
  const now = START + 101;
  const waits = Array.from({ length: 4 }, () => rights.enter(now));
  assert.deepEqual(waits, [0, spacing, 2 * spacing, 3 * spacing]);
  assert.equal(rights.enter(now + 10 * spacing), 0);
});

test('they come close again when all is in time', () => {
  const rights = new RightOfWay();
  let now = START + 10_000;
  let before = spacingAfter(rights, 10_000);
  while (before > 0) {
    now += 500;
    const spacing = rights.spacingMs(now);
    assert.ok(spacing < before);
    before = spacing;
  }
  assert.ok(now - START <= 15_000);
});

test('a slice that waits is let go when the process stops', async () => {
  const rights = new RightOfWay();
  rights.checked(SLOW_MS);
  const stopping = new AbortController();
  await rights.pause(stopping.signal);
  const paused = rights.pause(stopping.signal);
  stopping.abort();
  await paused;
});
