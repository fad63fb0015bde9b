// The short form of what `npm run test:crash -- logouts` runs for long.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLogger } from '@homing/server';
import { startNetwork } from '../network.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { KillablePostgres } from './killable-postgres.ts';
import { crashAfterLogouts } from './logout-and-crash.ts';

const CRASHES = 5;
const PHONES = 32;

for (const processes of [1, 2]) {
  const title = 'S64: a logout that was acknowledged survives the crash of PostgreSQL';
  test(`${title} (server processes: ${processes})`, (t) => loseNoLogout(t, processes));
}

async function loseNoLogout(t: TestContext, processes: number): Promise<void> {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using database = await KillablePostgres.start();
  // What fails while the database is away is meant to.
  const logger = createLogger('silent');
  await using network = await startNetwork({ database, role: 'api', logger, processes });
  const options = { crashes: CRASHES, phones: PHONES, random };
  const counts = await crashAfterLogouts(network, database, options);
  t.diagnostic(JSON.stringify(counts));
  assert.equal(counts.lost, 0);
  assert(counts.acknowledged >= CRASHES);
}
