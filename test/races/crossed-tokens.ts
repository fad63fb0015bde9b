import assert from 'node:assert/strict';
import { fcmToken, type Device } from '../device.ts';
import type { Network } from '../network.ts';
import { someAtOnce } from '../some-at-once.ts';
import { AnswerTally } from './answer-tally.ts';
import type { RaceOptions } from './same-token.ts';
import { claimToken, holdersOf, type ReportedToken } from './token-claim.ts';

export interface CrossedTokensCounts {
  readonly rounds: number;
  readonly pairs: number;
  readonly answers: Readonly<Record<string, number>>;
  /** Tokens by how many installations held them after they were crossed. */
  readonly holders: Readonly<Record<string, number>>;
  /** Tokens that were found with their claimant and nobody else. */
  readonly crossed: number;
}

/** Two phones, each with the token that the other one will claim. */
interface Pair {
  readonly phones: readonly [Device, Device];
  readonly users: readonly [string, string];
}

const PAUSE_MS = 5_000;

/**
 * S42: in pairs of installations each claims the token of the other at the same time; half of the
 * rounds with a newer assertion, half with the nonce alone. Afterwards each token has one holder,
 * no token is lost, and nobody saw a deadlock. Fails the test otherwise.
 */
export async function raceForCrossedTokens(
  network: Network,
  { rounds, clients, onRound }: RaceOptions,
): Promise<CrossedTokensCounts> {
  const answers = new AnswerTally();
  const pairs = await someAtOnce(clients / 2, 16, (index) => enrolPair(network, index));
  const holders: Record<string, number> = {};
  let crossed = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const fresh = await Promise.all(pairs.map((pair) => attachFreshTokens(pair)));
    await network.clock.advance(PAUSE_MS);
    const byAssertion = round % 2 === 0;
    const wishes = await Promise.all(
      pairs.map((pair, index) => crossing(pair, fresh[index] ?? assert.fail(), byAssertion)),
    );
    await Promise.all(wishes.flat().map(({ phone, packet }) => claimToken(phone, packet, answers)));
    const claims = wishes.flat();
    const held = await Promise.all(claims.map(({ token }) => holdersOf(network, token)));
    for (const [index, found] of held.entries()) {
      const { phone } = claims[index] ?? assert.fail();
      holders[found.length] = (holders[found.length] ?? 0) + 1;
      if (found.length === 1 && found[0]?.id === phone.id) crossed += 1;
    }
    assert.equal(crossed, round * clients, `round ${round}: ${JSON.stringify(holders)}`);
    onRound?.(round);
  }
  assert.equal(answers.serverErrors, 0, JSON.stringify(answers.byCode));
  return { rounds, pairs: pairs.length, answers: answers.byCode, holders, crossed };
}

async function enrolPair(network: Network, index: number): Promise<Pair> {
  const phones = [network.device(`10.2.0.${index}`), network.device(`10.2.1.${index}`)] as const;
  const users = [`left-${index}`, `right-${index}`] as const;
  assert.equal((await phones[0].signIn(users[0])).status, 201);
  assert.equal((await phones[1].signIn(users[1])).status, 201);
  return { phones, users };
}

type TokenPair = readonly [ReportedToken, ReportedToken];

async function attachFreshTokens({ phones }: Pair): Promise<TokenPair> {
  const fresh = [fcmToken(), fcmToken()] as const;
  const [left, right] = await Promise.all([
    phones[0].sync({ token: fresh[0] }),
    phones[1].sync({ token: fresh[1] }),
  ]);
  assert.deepEqual([left.status, right.status], [200, 200], JSON.stringify(left.body));
  return fresh;
}

interface Wish {
  readonly phone: Device;
  readonly token: ReportedToken;
  readonly packet: Readonly<Record<string, unknown>>;
}

/** What both phones of a pair will send: the other's token, and a proof where it shall decide. */
async function crossing(
  { phones, users }: Pair,
  [leftToken, rightToken]: TokenPair,
  byAssertion: boolean,
): Promise<readonly Wish[]> {
  const wish = async (phone: Device, userId: string, token: ReportedToken): Promise<Wish> => {
    const user = { id: userId, assertion: await phone.assertion(userId) };
    return { phone, token, packet: { token, ...(byAssertion && { user }) } };
  };
  return Promise.all([wish(phones[0], users[0], rightToken), wish(phones[1], users[1], leftToken)]);
}
