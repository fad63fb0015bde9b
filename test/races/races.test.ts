// The short forms of what `npm run test:races` runs for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNetwork } from '../network.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { raceForCrossedTokens } from './crossed-tokens.ts';
import { raceFeedbackWithRegistrations } from './dead-tokens.ts';
import { raceLogoutsWithSends } from './logout-and-send.ts';
import { raceForOneToken } from './same-token.ts';

const ROUNDS = 8;
const CLIENTS = 64;
const LOGOUTS = 200;

for (const processes of [1, 2]) {
  const where = processes === 1 ? 'one server process' : 'two server processes';

  test(`S23: of 64 claims of one token at once, one holds it (${where})`, async (t) => {
    await using network = await startNetwork({ processes });
    const counts = await raceForOneToken(network, { rounds: ROUNDS, clients: CLIENTS });
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual(counts.holders, { 1: ROUNDS });
  });

  test(`S42: tokens that are claimed crosswise end crossed, none lost (${where})`, async (t) => {
    await using network = await startNetwork({ processes });
    const counts = await raceForCrossedTokens(network, { rounds: ROUNDS, clients: CLIENTS });
    t.diagnostic(JSON.stringify(counts));
    assert.deepEqual(counts.holders, { 1: ROUNDS * CLIENTS });
    assert.equal(counts.crossed, ROUNDS * CLIENTS);
    assert.equal(counts.answers['200'], ROUNDS * CLIENTS, 'each claim was granted once');
    // Where the nonce decides, whoever of a pair comes first finds the other one's token held.
    const contested = counts.answers['409 token_held'] ?? 0;
    assert(contested >= (ROUNDS / 2) * counts.pairs, 'the claims met');
  });
}

test('S57: nothing is sent after a logout that another server has acknowledged', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using network = await startNetwork({ processes: 2 });
  const options = { rounds: LOGOUTS, width: 8, random: random.next };
  const counts = await raceLogoutsWithSends(network, options);
  t.diagnostic(JSON.stringify(counts));
  assert.equal(counts.violations, 0);
  assert.equal(counts.gated, LOGOUTS / 2);
});

test('S72: a 410 and a new registration may come in any order, and no live token is lost', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using network = await startNetwork({ processes: 2 });
  const counts = await raceFeedbackWithRegistrations(network, { count: 300, random });
  t.diagnostic(JSON.stringify(counts));
  assert.equal(counts.registeredAgain, 200);
});
