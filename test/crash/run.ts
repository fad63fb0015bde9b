// `npm run test:crash -- [PART...] [--seed N]`: what the test files do in their short forms, for as
// long as one likes. Without a part, all of them:
//
//   logouts   S64: [--rounds 1000] [--phones 64]
//   freeze    a worker stands still: [--rounds 5] [--freeze-seconds 60]
//   denied    one push in so many is taken and answered with 503: [--notifications 100]
//             [--people 1000] [--every 100]
//   database  PostgreSQL is killed every 5 to 10 s: [--notifications 50000] [--minutes 5]
//   workers   one of three is killed each second, while a notification to everyone goes out:
//             [--kills 200] [--per-second 1000]; `--kills 1000` is one to a million
import { parseArgs } from 'node:util';
import { createLogger } from '@homing/server';
import { ScratchDirectory } from '../../packages/homing/test/scratch-directory.ts';
import { startNetwork } from '../network.ts';
import { createProgress } from '../progress.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { startSecondServer } from '../second-server.ts';
import { killDatabase } from './database-kills.ts';
import { denyAcceptances } from './denied-acceptance.ts';
import { freezeWorker } from './frozen-worker.ts';
import { openKillSite } from './kill-site.ts';
import { KillablePostgres } from './killable-postgres.ts';
import { crashAfterLogouts } from './logout-and-crash.ts';
import { killWorkers } from './worker-kills.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    phones: { type: 'string', default: '64' },
    'freeze-seconds': { type: 'string', default: '60' },
    notifications: { type: 'string' },
    people: { type: 'string', default: '1000' },
    every: { type: 'string', default: '100' },
    minutes: { type: 'string', default: '5' },
    kills: { type: 'string', default: '200' },
    'per-second': { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const random = createSeededRandom(Number(values.seed));
// What fails while something is away is meant to.
const logger = createLogger('silent');

const PARTS: Readonly<Record<string, () => Promise<unknown>>> = {
  logouts,
  freeze,
  denied,
  database,
  workers,
};
const names = positionals.length === 0 ? Object.keys(PARTS) : positionals;
const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
if (unknown !== undefined) throw new Error(`There is no part "${unknown}".`);
console.log(`seed ${random.seed}`);
for (const name of names) console.log(`${name}: ${JSON.stringify(await PARTS[name]?.())}`);

// Each awaits what it returns: what it uses is gone as soon as it ends.

async function logouts(): Promise<unknown> {
  const crashes = Number(values.rounds ?? 1_000);
  await using postgres = await KillablePostgres.start();
  await using network = await startNetwork({ database: postgres, role: 'api', logger });
  const onCrash = createProgress('logouts', crashes);
  const phones = Number(values.phones);
  return await crashAfterLogouts(network, postgres, { crashes, phones, random, onCrash });
}

async function freeze(): Promise<unknown> {
  const freezeMs = Number(values['freeze-seconds']) * 1_000;
  const rounds = Number(values.rounds ?? 5);
  const onRound = createProgress('freeze', rounds);
  const counts: unknown[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await using network = await startNetwork({ role: 'api', logger });
    counts.push(await freezeWorker(network, { freezeMs, random }));
    onRound(round);
  }
  return counts;
}

async function denied(): Promise<unknown> {
  const notifications = Number(values.notifications ?? 100);
  await using network = await startNetwork({ logger });
  const onNotification = createProgress('denied', notifications);
  const [people, every] = [Number(values.people), Number(values.every)];
  return await denyAcceptances(network, { notifications, people, every, onNotification });
}

async function database(): Promise<unknown> {
  const seconds = Number(values.minutes) * 60;
  const notifications = Number(values.notifications ?? 50_000);
  const pauseMs = { least: 5_000, most: 10_000 };
  const kills = Math.ceil(seconds / 7.5);
  const perSecond = notifications / seconds;
  await using postgres = await KillablePostgres.start();
  await using network = await startNetwork({ database: postgres, role: 'api', logger });
  const { masterKey, clock } = network;
  const config = { ...network.config, role: 'worker' } as const;
  await using worker = await startSecondServer({ config, masterKey, clock });
  const onKill = createProgress('database', kills);
  const options = { notifications, perSecond, kills, pauseMs, random, onKill };
  return await killDatabase(network, postgres, worker, options);
}

/** There are as many installations as it takes to keep the workers busy until the last kill. */
async function workers(): Promise<unknown> {
  const [kills, everyMs] = [Number(values.kills), 1_000];
  const perSecond = Number(values['per-second']);
  const installations = Math.ceil((kills * everyMs * perSecond) / 1_000);
  await using scratch = await ScratchDirectory.create();
  await using postgres = await KillablePostgres.start();
  await using site = await openKillSite(scratch, postgres.url, installations);
  const onKill = createProgress('workers', kills);
  const options = { installations, perSecond, kills, everyMs, random, onKill };
  return await killWorkers(site, options);
}
