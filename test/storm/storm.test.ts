// The short form of what `npm run test:storm` runs for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { runStorm } from './storm.ts';

test('S92: after a storm the registry holds what each phone said last, and no push was wrong', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  const counts = await runStorm({
    durationMs: 20_000,
    phones: 24,
    servers: 2,
    weather: { longestDelayMs: 500, resets: 0.05, duplicates: 0.05 },
    random,
  });
  t.diagnostic(JSON.stringify(counts));
  assert(counts.databaseCrashes > 0 && counts.serverKills > 0 && counts.pushes > 0);
});
