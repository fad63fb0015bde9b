// The short form of what `npm run test:fleet` runs for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { runFleet } from './fleet.ts';

test('S92 with the real client: whatever happens to phones, each shows what is for its user alone', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  const figures = await runFleet({
    calmMs: 4_000,
    faultsMs: 15_000,
    phones: 40,
    servers: 1,
    weather: { longestDelayMs: 500, resets: 0.05, duplicates: 0.05 },
    longestPauseMs: 2_000,
    random,
  });
  t.diagnostic(JSON.stringify(figures));
  assert(figures.databaseCrashes > 0 && figures.serverKills > 0 && figures.due > 0);
  assert(figures.refresh.calm.count > 0 && figures.refresh.faults.count > 0);
});
