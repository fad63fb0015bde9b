import assert from 'node:assert/strict';
import type { Device } from '../device.ts';
import type { Network } from '../network.ts';
import type { AnswerTally } from './answer-tally.ts';

/** A token as a packet carries it. */
export interface ReportedToken {
  readonly provider: string;
  readonly value: string;
}

interface ListedInstallation {
  readonly id: string;
  readonly user: { readonly id: string } | null;
}

/** A claim may lose to others that change the holder meanwhile, but not for ever. */
const MOST_ECHOES = 20;

/**
 * Claims a token like a good SDK: repeats the packet with the nonce for as long as the answer is
 * that somebody else holds it. Fails the test when it is refused otherwise.
 */
export async function claimToken(
  phone: Device,
  packet: Readonly<Record<string, unknown>>,
  tally: AnswerTally,
): Promise<void> {
  const seq = phone.nextSeq();
  let answer = tally.add(await phone.sync({ ...packet, seq }));
  for (let echoes = 0; answer.status === 409 && echoes < MOST_ECHOES; echoes += 1) {
    const takeover = answer.body['nonce'];
    answer = tally.add(await phone.sync({ ...packet, seq, takeover }));
  }
  assert(answer.status === 200 || answer.status === 201, JSON.stringify(answer.body));
}

/** An installation that holds a token, as the back end sees it. */
export interface TokenHolder {
  readonly id: string;
  readonly userId: string | null;
}

export async function holdersOf(
  network: Network,
  token: ReportedToken,
): Promise<readonly TokenHolder[]> {
  const query = new URLSearchParams({ token: token.value });
  const answer = await network.backEnd.get(`/v1/installations?${query.toString()}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const found = answer.body['data'] as unknown as readonly ListedInstallation[];
  return found.map(({ id, user }) => ({ id, userId: user?.id ?? null }));
}
