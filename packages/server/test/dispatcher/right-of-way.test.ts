import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RightOfWay } from '../../src/dispatcher/right-of-way.ts';
import { LIMITS } from '../../src/domain/limits.ts';

const SLOW_MS = LIMITS.gateSlowMs + 1;
const START = 10_000;

/** The pause after so many milliseconds in each of which a check was slow. */
function pauseAfter(rights: RightOfWay, ms: number): number {
  for (let now = START; now < START + ms; now += 1) rights.checked(SLOW_MS, now);
  return rights.pauseMs(START + ms);
}

test('bulk waits for nothing where what is transactional is checked in time', () => {
  const rights = new RightOfWay();
  for (let now = START; now < START + 1_000; now += 1) {
    rights.checked(LIMITS.gateSlowMs, now);
    rights.leased(LIMITS.leaseSlowMs, now);
  }
  assert.equal(rights.pauseMs(START + 1_000), 0);
});

test('its slices come further apart while that is slow, however often it is told', () => {
  assert.equal(pauseAfter(new RightOfWay(), 1), 25);
  assert.equal(pauseAfter(new RightOfWay(), 50), 25);
  assert.equal(pauseAfter(new RightOfWay(), 51), 50);
  assert.equal(pauseAfter(new RightOfWay(), 101), 100);
});

test('bulk is never held up for longer than the limit', () => {
  assert.equal(pauseAfter(new RightOfWay(), 10_000), LIMITS.bulkPauseMs);
});

test('the pause shrinks to nothing when all is in time again', () => {
  const rights = new RightOfWay();
  let now = START + 10_000;
  let before = pauseAfter(rights, 10_000);
  while (before > 0) {
    now += 500;
    const pause = rights.pauseMs(now);
    assert.ok(pause < before);
    before = pause;
  }
  assert.ok(now - START <= 15_000);
});

test('a slice that waits is let go when the process stops', async () => {
  const rights = new RightOfWay();
  rights.leased(LIMITS.leaseSlowMs + 1);
  const stopping = new AbortController();
  const paused = rights.pause(stopping.signal);
  stopping.abort();
  await paused;
  assert.ok(rights.pauseMs(performance.now()) > 0);
});
