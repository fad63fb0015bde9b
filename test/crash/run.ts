// `npm run test:crash -- [--rounds 1000] [--phones 64] [--seed N]`: S64 for as long as one likes.
import { parseArgs } from 'node:util';
import { createLogger } from '@homing/server';
import { startNetwork } from '../network.ts';
import { createProgress } from '../progress.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { KillablePostgres } from './killable-postgres.ts';
import { crashAfterLogouts } from './logout-and-crash.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    phones: { type: 'string', default: '64' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const crashes = Number(values.rounds);
const random = createSeededRandom(Number(values.seed));

console.log(`seed ${random.seed}`);
await using database = await KillablePostgres.start();
await using network = await startNetwork({
  database,
  role: 'api',
  logger: createLogger('silent'),
});
const counts = await crashAfterLogouts(network, database, {
  crashes,
  phones: Number(values.phones),
  random,
  onCrash: createProgress('S64', crashes),
});
console.log(`S64: ${JSON.stringify(counts)}`);
