// `npm run test:fleet -- [--minutes 10] [--phones 200] [--servers 2] [--seed N]`: the real client
// on so many phones, over a bad network for so long, and before that a tenth of it over a good one.
import { parseArgs } from 'node:util';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { runFleet } from './fleet.ts';

const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    phones: { type: 'string', default: '200' },
    servers: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const random = createSeededRandom(Number(values.seed));
const faultsMs = Number(values.minutes) * MINUTE_MS;

console.log(`seed ${random.seed}`);
const { refresh, ...figures } = await runFleet({
  calmMs: faultsMs / 10,
  faultsMs,
  phones: Number(values.phones),
  servers: Number(values.servers),
  weather: { longestDelayMs: 2_000, resets: 0.05, duplicates: 0.05 },
  longestPauseMs: 15_000,
  random,
  onProgress: (line) => console.log(line),
});
console.log('From a token refresh to its acknowledged sync, in milliseconds:');
console.table({ calm: refresh.calm, 'with faults': refresh.faults });
console.log(`No violation: ${JSON.stringify(figures)}`);
