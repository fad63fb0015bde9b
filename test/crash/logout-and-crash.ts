import assert from 'node:assert/strict';
import type { Answer } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { apnsToken, type Device } from '../device.ts';
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { someAtOnce } from '../some-at-once.ts';
import type { KillablePostgres } from './killable-postgres.ts';
import { untilAnswered } from './until-answered.ts';

export interface LogoutAndCrashOptions {
  readonly crashes: number;
  readonly phones: number;
  readonly random: SeededRandom;
  readonly onCrash?: (crashes: number) => void;
}

export interface LogoutAndCrashCounts {
  readonly crashes: number;
  /** Logouts that were answered with 204 before the crash. */
  readonly acknowledged: number;
  /** Of those, whose user was signed in again after it. */
  readonly lost: number;
  /** Logouts without an answer that were kept all the same, and that were not. */
  readonly unansweredKept: number;
  readonly unansweredLost: number;
}

type Outcome = 'acknowledged' | 'unanswered';

/** One installation writes so often without being slowed down. */
const CRASHES_PER_PHONE = 100;

/**
 * S64: phones sign out together, and at one of the acknowledgements PostgreSQL loses all its
 * processes. After its recovery every acknowledged logout holds; the others may or may not have
 * been kept, and succeed when they are repeated. Fails the test otherwise.
 */
export async function crashAfterLogouts(
  network: Network,
  database: KillablePostgres,
  { crashes, phones: count, random, onCrash }: LogoutAndCrashOptions,
): Promise<LogoutAndCrashCounts> {
  const counts = { acknowledged: 0, lost: 0, unansweredKept: 0, unansweredLost: 0 };
  let phones: readonly Device[] = [];
  for (let crash = 0; crash < crashes; crash += 1) {
    if (crash % CRASHES_PER_PHONE === 0) phones = await enrol(network, count, crash);
    await signInAll(phones, crash);
    const outcomes = await signOutAndCrash(phones, database, 1 + random.below(count));
    const owners = await ownersOf(network, phones);
    for (const [index, outcome] of outcomes.entries()) {
      const isOut = owners[index] === null;
      if (outcome === 'acknowledged') counts[isOut ? 'acknowledged' : 'lost'] += 1;
      else counts[isOut ? 'unansweredKept' : 'unansweredLost'] += 1;
    }
    assert.equal(counts.lost, 0, `crash ${crash + 1}: an acknowledged logout was lost`);
    await repeatLogouts(network, phones);
    onCrash?.(crash + 1);
  }
  return { crashes, ...counts };
}

async function enrol(network: Network, count: number, crash: number): Promise<readonly Device[]> {
  return someAtOnce(count, 16, async (index) => {
    const phone = network.device(`10.5.${Math.floor(crash / CRASHES_PER_PHONE)}.${index}`);
    assertAnswered(await untilAnswered(() => phone.sync({ token: apnsToken() })), 201);
    return phone;
  });
}

async function signInAll(phones: readonly Device[], crash: number): Promise<void> {
  await someAtOnce(phones.length, 16, async (index) => {
    const phone = phones[index];
    assert(phone !== undefined);
    assertAnswered(await untilAnswered(() => phone.signIn(`user-${crash}-${index}`)), 200);
  });
}

/** An answer after the crash says nothing about it, so that it counts as none. */
async function signOutAndCrash(
  phones: readonly Device[],
  database: KillablePostgres,
  atAcknowledgement: number,
): Promise<readonly Outcome[]> {
  const fire = await database.aim();
  let acknowledged = 0;
  const recovery = Promise.withResolvers<void>();
  const outcomes = await Promise.all(
    phones.map(async (phone): Promise<Outcome> => {
      const answer = await phone.signOut();
      if (answer.status !== 204 || acknowledged >= atAcknowledgement) return 'unanswered';
      acknowledged += 1;
      if (acknowledged === atAcknowledgement) {
        fire();
        recovery.resolve(database.recover());
      }
      return 'acknowledged';
    }),
  );
  assert(acknowledged >= atAcknowledgement, 'the crash came');
  await recovery.promise;
  return outcomes;
}

async function ownersOf(
  network: Network,
  phones: readonly Device[],
): Promise<readonly (string | null)[]> {
  return someAtOnce(phones.length, 16, async (index) => {
    const path = `/v1/installations/${phones[index]?.id}`;
    const answer = await untilAnswered(() => network.backEnd.get(path));
    assertAnswered(answer, 200);
    const user = answer.body['user'] as unknown as { readonly id: string } | null;
    return user?.id ?? null;
  });
}

/** What an outbox does with a logout that was not acknowledged: the same packet once more. */
async function repeatLogouts(network: Network, phones: readonly Device[]): Promise<void> {
  await Promise.all(
    phones.map(async (phone) =>
      assertAnswered(await untilAnswered(() => repeatLogout(phone)), 204),
    ),
  );
  const owners = await ownersOf(network, phones);
  assert(owners.every((owner) => owner === null));
}

function repeatLogout(phone: Device): Promise<Answer> {
  return phone.request('DELETE', `/user?seq=${phone.seq}`);
}
