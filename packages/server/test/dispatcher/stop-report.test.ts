import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StopReport } from '../../src/dispatcher/stop-report.ts';

const NOW = new Date('2026-01-01T00:00:00Z');

/** Keeps what it was told, and holds each record up until it is let go. */
function createSlowObserver() {
  const told: string[] = [];
  const held: (() => void)[] = [];
  const hold = (what: string): Promise<void> => {
    told.push(what);
    const { promise, resolve } = Promise.withResolvers<void>();
    held.push(resolve);
    return promise;
  };
  return {
    told,
    letGo: () => held.shift()?.(),
    stopped: (_at: unknown, code: string) => hold(`stopped ${code}`),
    resumed: () => hold('resumed'),
    failed: (error: unknown) => assert.fail(String(error)),
  };
}

test('a refusal that comes while a resumption is told is told after it', async () => {
  const observer = createSlowObserver();
  const report = new StopReport({ credentialRef: 1, host: null }, observer);
  report.accepted(NOW);
  report.refused('InvalidProviderToken');
  assert.deepEqual(observer.told, ['resumed']);

  const told = report.told();
  observer.letGo();
  await new Promise(setImmediate);
  observer.letGo();
  await told;
  assert.deepEqual(observer.told, ['resumed', 'stopped InvalidProviderToken']);
});

test('of what comes while a stop is told, the last word is told, and nothing twice', async () => {
  const observer = createSlowObserver();
  const report = new StopReport({ credentialRef: 1, host: null }, observer);
  report.refused('InvalidProviderToken');
  report.accepted(NOW);
  report.refused('InvalidProviderToken');

  const told = report.told();
  observer.letGo();
  await told;
  assert.deepEqual(observer.told, ['stopped InvalidProviderToken']);
});
