// The short form of what `npm run test:crash -- workers` does for longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScratchDirectory } from '../../packages/homing/test/scratch-directory.ts';
import { createTestDatabase } from '../database.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { openKillSite } from './kill-site.ts';
import { killWorkers } from './worker-kills.ts';

const INSTALLATIONS = 6_000;
const KILLS = 5;
/** What a killed worker held is under way elsewhere by then. */
const TAKEOVER_MS = 10_000;

test('when workers are killed, everybody gets each push, and repeats are told', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using scratch = await ScratchDirectory.create();
  await using database = await createTestDatabase();
  await using site = await openKillSite(scratch, database.url, INSTALLATIONS);
  const counts = await killWorkers(site, {
    installations: INSTALLATIONS,
    perSecond: 1_000,
    kills: KILLS,
    everyMs: 1_500,
    random,
  });
  t.diagnostic(JSON.stringify(counts));
  assert(counts.takeoverP99Ms <= TAKEOVER_MS);
});
