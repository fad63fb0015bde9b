import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackEnd } from '../back-end.ts';
import { enrolCrowd, type Person } from '../crowd.ts';
import type { Network } from '../network.ts';
import { pushIdentity } from '../push-identity.ts';
import { acceptedPushes } from '../pushes.ts';
import type { SecondServer } from '../second-server.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { someAtOnce } from '../some-at-once.ts';
import type { KillablePostgres } from './killable-postgres.ts';
import { untilAnswered } from './until-answered.ts';

export interface DatabaseKillsOptions {
  readonly notifications: number;
  /** How fast the back end asks for them, while it is let. */
  readonly perSecond: number;
  readonly kills: number;
  /** Between a recovery and the next kill, drawn anew each time. */
  readonly pauseMs: { readonly least: number; readonly most: number };
  readonly random: SeededRandom;
  readonly onKill?: (kills: number) => void;
}

export interface DatabaseKillsCounts {
  readonly kills: number;
  readonly accepted: number;
  /** Requests that were answered with a 5xx, or not at all, and sent again by the client. */
  readonly refused: number;
  readonly pushes: number;
  readonly possibleDuplicates: number;
  readonly drainedMs: number;
}

const PEOPLE = 200;
const CLIENTS = 8;
/** From the last recovery until nothing is left to be done. */
const CALM_MS = 60_000;

/**
 * PostgreSQL loses all its processes again and again, while a back end goes on sending. Whatever
 * was answered with 202 arrives, once or marked as a possible duplicate; what was answered with a
 * 5xx, or not at all, is sent again by the client under its idempotency key, and is one
 * notification. Fails the test otherwise. The network is a mere API, beside which the worker sends.
 */
export async function killDatabase(
  network: Network,
  database: KillablePostgres,
  worker: SecondServer,
  { notifications, perSecond, kills, pauseMs, random, onKill }: DatabaseKillsOptions,
): Promise<DatabaseKillsCounts> {
  const people = await enrolCrowd(network, PEOPLE);
  const sending = sendSteadily(network.backEnd, people, { notifications, perSecond });
  for (let kill = 1; kill <= kills; kill += 1) {
    await delay(pauseMs.least + random.below(pauseMs.most - pauseMs.least));
    const fire = await database.aim();
    fire();
    await database.recover();
    onKill?.(kill);
  }
  const { ids, refused } = await sending;
  const calmAt = performance.now();
  await untilDrained(network.homing.db, worker);
  const drainedMs = Math.round(performance.now() - calmAt);

  assert.equal(new Set(ids).size, notifications, 'each is one notification, repeated or not');
  const counts = await compareWithReferee(network, ids, people);
  return { kills, accepted: ids.length, refused, ...counts, drainedMs };
}

interface Sent {
  readonly ids: readonly string[];
  readonly refused: number;
}

/** A back end that repeats what was not taken, under the key that makes it the same request. */
async function sendSteadily(
  backEnd: BackEnd,
  people: readonly Person[],
  { notifications, perSecond }: Pick<DatabaseKillsOptions, 'notifications' | 'perSecond'>,
): Promise<Sent> {
  const startedAt = performance.now();
  let requests = 0;
  const ids = await someAtOnce(notifications, CLIENTS, async (index) => {
    const dueMs = startedAt + (1_000 * index) / perSecond - performance.now();
    if (dueMs > 0) await delay(dueMs);
    const { user } = person(people, index);
    const body = {
      audience: { users: [user] },
      content: { title: 'Hello', data: { number: String(index) } },
      idempotency_key: `number ${index}`,
    };
    const answer = await untilAnswered(() => {
      requests += 1;
      return backEnd.request('POST', '/v1/notifications', body);
    });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer.body['id'] as unknown as string;
  });
  return { ids, refused: requests - notifications };
}

function person(people: readonly Person[], index: number): Person {
  const found = people[index % people.length];
  assert(found !== undefined);
  return found;
}

async function untilDrained(db: Network['homing']['db'], worker: SecondServer): Promise<void> {
  const deadline = performance.now() + CALM_MS;
  for (;;) {
    const [row] = await db<{ open: number }[]>`
      select count(*)::int as open from notification where finished_at is null`;
    if (row?.open === 0) return;
    assert.deepEqual(worker.deaths, [], 'a worker outlives its database');
    assert(performance.now() < deadline, `${row?.open} notifications are not done after a minute`);
    await delay(100);
  }
}

/** The referee is what the simulators took, number by number. */
async function compareWithReferee(
  network: Network,
  ids: readonly string[],
  people: readonly Person[],
): Promise<Pick<DatabaseKillsCounts, 'pushes' | 'possibleDuplicates'>> {
  const pushes = acceptedPushes(network.journal);
  const byNumber = Map.groupBy(pushes, ({ body }) => numberIn(body));
  let possibleDuplicates = 0;
  await someAtOnce(ids.length, CLIENTS, async (index) => {
    const arrived = byNumber.get(index) ?? [];
    assert(arrived.length > 0, `number ${index} was accepted and never arrived`);
    assert(arrived.every(({ token }) => token === person(people, index).token));
    assert.equal(new Set(arrived.map((push) => pushIdentity(push).id)).size, 1);
    const report = await network.backEnd.report(ids[index] ?? '');
    const marked = Number(report['possible_duplicates']);
    assert(arrived.length === 1 || marked === 1, `number ${index} came twice, and is not marked`);
    assert.equal(report['counts']?.['accepted'], 1);
    possibleDuplicates += marked;
  });
  assert.equal(byNumber.size, ids.length, 'nothing came that was not accepted');
  return { pushes: pushes.length, possibleDuplicates };
}

function numberIn(body: unknown): number {
  return Number(/"number":"(\d+)"/.exec(JSON.stringify(body))?.[1]);
}
