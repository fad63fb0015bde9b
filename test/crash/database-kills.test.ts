// The short form of what `npm run test:crash -- database` does for minutes.
import { test } from 'node:test';
import { createLogger } from '@homing/server';
import { startNetwork } from '../network.ts';
import { startSecondServer } from '../second-server.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { killDatabase } from './database-kills.ts';
import { KillablePostgres } from './killable-postgres.ts';

const NOTIFICATIONS = 600;
const PER_SECOND = 200;
const KILLS = 2;
const PAUSE_MS = { least: 500, most: 1_500 };

test('what was answered with 202 arrives, however often PostgreSQL is killed', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using database = await KillablePostgres.start();
  // What fails while the database is away is meant to.
  const logger = createLogger('silent');
  await using network = await startNetwork({ database, role: 'api', logger });
  const { masterKey, clock } = network;
  const config = { ...network.config, role: 'worker' } as const;
  await using worker = await startSecondServer({ config, masterKey, clock });
  const counts = await killDatabase(network, database, worker, {
    notifications: NOTIFICATIONS,
    perSecond: PER_SECOND,
    kills: KILLS,
    pauseMs: PAUSE_MS,
    random,
  });
  t.diagnostic(JSON.stringify(counts));
});
