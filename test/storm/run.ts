// `npm run test:storm -- [--minutes 30] [--phones 200] [--servers 2] [--seed N]`: S92 for as long
// as one likes.
import { parseArgs } from 'node:util';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { runStorm } from './storm.ts';

const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    phones: { type: 'string', default: '200' },
    servers: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const random = createSeededRandom(Number(values.seed));

console.log(`seed ${random.seed}`);
const counts = await runStorm({
  durationMs: Number(values.minutes) * MINUTE_MS,
  phones: Number(values.phones),
  servers: Number(values.servers),
  weather: { longestDelayMs: 2_000, resets: 0.05, duplicates: 0.05 },
  random,
  onProgress: (line) => console.log(line),
});
console.log(`S92, no violation: ${JSON.stringify(counts)}`);
