// `npm run test:races -- [--rounds 1000] [--logouts 10000] [--dead 15000] [--clients 64]
// [--seed N]`: the races S23 and S42 with one and with two server processes, S57 (so many logouts)
// and S72 (so many dead tokens, of which two thirds are registered again) with two. A number of 0
// leaves its race out.
import { parseArgs } from 'node:util';
import { startNetwork, type Network } from '../network.ts';
import { createProgress } from '../progress.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { raceForCrossedTokens } from './crossed-tokens.ts';
import { raceFeedbackWithRegistrations } from './dead-tokens.ts';
import { raceLogoutsWithSends } from './logout-and-send.ts';
import { raceForOneToken, type RaceOptions } from './same-token.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1000' },
    logouts: { type: 'string', default: '10000' },
    dead: { type: 'string', default: '15000' },
    clients: { type: 'string', default: '64' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const rounds = Number(values.rounds);
const clients = Number(values.clients);
const dead = Number(values.dead);
const logouts = Number(values.logouts);
const random = createSeededRandom(Number(values.seed));

console.log(`seed ${random.seed}`);
if (logouts > 0) {
  const options = { rounds: logouts, width: 8, random: random.next };
  await run('S57', 2, logouts, (network, onRound) =>
    raceLogoutsWithSends(network, { ...options, onRound }),
  );
}
if (dead > 0) {
  await run('S72', 2, dead, (network, onRound) =>
    raceFeedbackWithRegistrations(network, { count: dead, random, onRound }),
  );
}
for (const processes of rounds > 0 ? [2, 1] : []) {
  await run('S23', processes, rounds, (network, onRound) =>
    raceForOneToken(network, { rounds, clients, onRound }),
  );
  await run('S42', processes, rounds, (network, onRound) =>
    raceForCrossedTokens(network, { rounds, clients, onRound }),
  );
}

/** A failed assertion ends the whole run, with the network that it failed on. */
async function run(
  name: string,
  processes: number,
  total: number,
  race: (network: Network, onRound: NonNullable<RaceOptions['onRound']>) => Promise<unknown>,
): Promise<void> {
  const title = `${name}, ${processes} server process${processes === 1 ? '' : 'es'}`;
  await using network = await startNetwork({ processes });
  const counts = await race(network, createProgress(title, total));
  console.log(`${title}: ${JSON.stringify(counts)}`);
}
