import assert from 'node:assert/strict';
import { apnsToken, type Device } from '../device.ts';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { someAtOnce } from '../some-at-once.ts';
import { AnswerTally } from './answer-tally.ts';
import { holdersOf } from './token-claim.ts';

export interface RaceOptions {
  readonly rounds: number;
  readonly clients: number;
  /** Told after every round how many are over. */
  readonly onRound?: (rounds: number) => void;
}

export interface SameTokenCounts {
  readonly rounds: number;
  readonly answers: Readonly<Record<string, number>>;
  /** Rounds by how many installations held the token at their end. */
  readonly holders: Readonly<Record<string, number>>;
  readonly pushes: number;
}

interface Claimant {
  readonly phone: Device;
  readonly userId: string;
}

/** Longer than the second that assertions carry, and enough to refill what limits a client. */
const PAUSE_MS = 5_000;
/** Within what the server forgives to clocks that go ahead. */
const AHEAD_MS = 2_000;
/** Pushes cost more than claims, so that only so many rounds end with one. */
const ROUNDS_WITH_PUSH = 30;

/**
 * S23: many installations with different users claim one token at the same time, round after round
 * with a fresh token. At the end of each round exactly one of them holds it, with its own user, and
 * the others were told so. Fails the test otherwise.
 */
export async function raceForOneToken(
  network: Network,
  { rounds, clients, onRound }: RaceOptions,
): Promise<SameTokenCounts> {
  const answers = new AnswerTally();
  const holders: Record<string, number> = {};
  let pushes = 0;
  const claimants = await someAtOnce(clients, 16, (index) => enrol(network, index));
  for (let round = 1; round <= rounds; round += 1) {
    await network.clock.advance(PAUSE_MS);
    const token = apnsToken();
    const packets = await Promise.all(
      claimants.map(async (claimant, index) => ({
        token,
        user: await signClaim(network, claimant, round * index),
      })),
    );
    const winners = await claimTogether(claimants, packets, answers);
    const found = await holdersOf(network, token);
    holders[found.length] = (holders[found.length] ?? 0) + 1;
    assert.equal(found.length, 1, `round ${round}: one holder`);
    const winner = winners.find(({ phone }) => phone.id === found[0]?.id);
    assert(winner !== undefined, `round ${round}: the holder was told that it is`);
    assert.equal(found[0]?.userId, winner.userId);
    if (round % Math.ceil(rounds / ROUNDS_WITH_PUSH) === 0) {
      await assertReached(network, claimants, token.value);
      pushes += 1;
    }
    onRound?.(round);
  }
  assert.equal(answers.serverErrors, 0, JSON.stringify(answers.byCode));
  return { rounds, answers: answers.byCode, holders, pushes };
}

async function enrol(network: Network, index: number): Promise<Claimant> {
  const phone = network.device(`10.1.0.${index}`);
  assert.equal((await phone.sync({ user: null })).status, 201);
  return { phone, userId: `user-${index}` };
}

/**
 * A proof that may take the token over from one that is not as new. In every second round all are
 * equally new, so that the first claim wins; in the others half of them are newer.
 */
async function signClaim(network: Network, { phone, userId }: Claimant, lot: number) {
  const now = network.clock.now().getTime();
  const issuedAt = new Date(now + (lot % 2 === 0 ? 0 : AHEAD_MS));
  const options = { installationId: phone.id, issuedAt };
  return { id: userId, assertion: await network.issuer.sign(network.app.id, userId, options) };
}

/** Resolves with those who were told that the token is theirs. */
async function claimTogether(
  claimants: readonly Claimant[],
  packets: readonly Readonly<Record<string, unknown>>[],
  answers: AnswerTally,
): Promise<readonly Claimant[]> {
  const told = await Promise.all(
    claimants.map(async ({ phone }, index) =>
      answers.add(await phone.sync(packets[index] ?? assert.fail())),
    ),
  );
  for (const answer of told) {
    assert(answer.status === 200 || answer.status === 409, JSON.stringify(answer.body));
    if (answer.status === 409) assert.equal(typeof answer.body['nonce'], 'string');
  }
  return claimants.filter((_, index) => told[index]?.status === 200);
}

/** A message to all claimants reaches the token once: who lost the race has no way to it. */
async function assertReached(
  network: Network,
  claimants: readonly Claimant[],
  token: string,
): Promise<void> {
  const before = network.journal.counters.received;
  await network.backEnd.sendToUsers(claimants.map(({ userId }) => userId));
  await network.drain();
  const reached = acceptedPushes(network.journal, before).filter((push) => push.token === token);
  assert.equal(reached.length, 1);
}
