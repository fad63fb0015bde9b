import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { digestDatabase } from '../../packages/server/test/http/database-digest.ts';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { enrolCrowd, type Person } from '../crowd.ts';
import type { Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { SecondServer, startSecondServer } from '../second-server.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { someAtOnce } from '../some-at-once.ts';
import { untilFinished } from './until-finished.ts';

export interface FrozenWorkerOptions {
  /** Longer than a lease, or there is nothing to see. */
  readonly freezeMs: number;
  readonly random: SeededRandom;
}

export interface FrozenWorkerCounts {
  /** Pushes that the providers took in all; those above the number of phones are repeats. */
  readonly accepted: number;
  readonly possibleDuplicates: number;
}

const NOTIFICATIONS = 4;
const PHONES_EACH = 250;
/** The connections of a worker to one FCM project, with the streams that FCM allows on each. */
const STREAMS = 200;
const NEWCOMERS = 50;
/** Less than what is left of the lease; more than bytes take on this machine. */
const QUIET_MS = 300;
/** The other worker takes over, and is done by then; a failure bound. */
const PATIENCE_MS = 60_000;

/**
 * A worker stands still for longer than its leases, as in a suspended container, while each of its
 * streams carries a push that was read and not answered, while hundreds of others have passed the
 * gate and wait for a stream, and while some phones change hands. Another worker takes over and
 * finishes. The woken one then holds all the answers, and free streams, and may use neither: it
 * starts no push and writes no row. Fails the test otherwise.
 */
export async function freezeWorker(
  network: Network,
  { freezeMs, random }: FrozenWorkerOptions,
): Promise<FrozenWorkerCounts> {
  const { fcm, journal, backEnd, clock, masterKey } = network;
  const surroundings = { config: { ...network.config, role: 'worker' }, masterKey, clock } as const;
  const name = `user-${random.below(2 ** 32)}`;
  const people = await enrolCrowd(network, NOTIFICATIONS * PHONES_EACH, { provider: 'fcm', name });
  await using frozen = await startSecondServer(surroundings);
  await using other = new SecondServer(surroundings);
  const start = journal.counters.received;

  using hold = fcm.faults.hold({}, 'answer');
  const ids = await sendToAll(network, people);
  await hold.arrived(STREAMS);
  frozen.freeze();
  const frozenAt = performance.now();
  hold.release();
  await untilQuiet(network);
  const newcomers = await changeHands(people, reached(network, start), random);
  await other.start();
  await untilFinished(backEnd, ids, PATIENCE_MS);
  await delay(Math.max(0, freezeMs - (performance.now() - frozenAt)));

  const [rows, pushes] = [await digestRows(network), journal.counters.received];
  frozen.thaw();
  // It has gone through whatever it could still do when it says that it is done.
  await frozen.drain();
  assert.equal(journal.counters.received, pushes, 'the woken worker starts no push');
  assert.equal(await digestRows(network), rows, 'the woken worker writes no row');

  const accepted = acceptedPushes(journal, start);
  for (const { token } of newcomers) {
    assert(!accepted.some((push) => push.token === token), 'no push for who has signed out');
  }
  const possibleDuplicates = await sumPossibleDuplicates(network, ids, newcomers.length);
  return { accepted: accepted.length, possibleDuplicates };
}

/**
 * What a worker may ask for at any time is how fast it may send; that it asks is not yet a push,
 * and the bucket is about nobody.
 */
async function digestRows({ homing }: Network): Promise<string> {
  const lines = (await digestDatabase(homing.db)).split('\n');
  return lines.filter((line) => !line.startsWith('rate_bucket=')).join('\n');
}

async function sendToAll(network: Network, people: readonly Person[]): Promise<readonly string[]> {
  return someAtOnce(NOTIFICATIONS, NOTIFICATIONS, (index) => {
    const slice = people.slice(index * PHONES_EACH, (index + 1) * PHONES_EACH);
    return network.backEnd.sendToUsers(slice.map(({ user }) => user));
  });
}

/** What the frozen worker had handed to its sockets still arrives: this is not about it. */
async function untilQuiet({ journal }: Network): Promise<void> {
  let before = Number.NaN;
  while (journal.counters.received !== before) {
    before = journal.counters.received;
    await delay(QUIET_MS);
  }
}

function reached(network: Network, after: number): ReadonlySet<string | null> {
  return new Set(network.journal.entries({ after }).map(({ token }) => token));
}

/** Somebody else signs in on phones whose pushes wait in the frozen worker, already checked. */
async function changeHands(
  people: readonly Person[],
  reachedTokens: ReadonlySet<string | null>,
  random: SeededRandom,
): Promise<readonly Person[]> {
  const waiting = people.filter(({ token }) => !reachedTokens.has(token));
  const first = random.below(waiting.length - NEWCOMERS);
  const chosen = waiting.slice(first, first + NEWCOMERS);
  await someAtOnce(chosen.length, NEWCOMERS, async (index) => {
    const person = chosen[index];
    assert(person !== undefined);
    assertAnswered(await person.phone.signIn(`newcomer-${person.user}`), 200);
  });
  return chosen;
}

/** Everybody else got theirs, by the other worker if not by this one. */
async function sumPossibleDuplicates(
  network: Network,
  ids: readonly string[],
  ownersChanged: number,
): Promise<number> {
  const reports = await Promise.all(ids.map((id) => network.backEnd.report(id)));
  const sum = (count: (report: (typeof reports)[number]) => unknown): number =>
    reports.reduce((total, report) => total + Number(count(report) ?? 0), 0);
  for (const report of reports) assertConserved(report);
  const skipped = sum((report) => report['reasons']?.['skipped']?.['owner_changed']);
  assert.equal(skipped, ownersChanged);
  const accepted = sum((report) => report['counts']?.['accepted']);
  assert.equal(accepted, NOTIFICATIONS * PHONES_EACH - ownersChanged);
  return sum((report) => report['possible_duplicates']);
}
