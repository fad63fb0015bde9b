import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { parseTypedId } from '../../packages/server/src/domain/typed-id.ts';
import { assertConserved } from '../conservation.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { KillSite } from './kill-site.ts';
import { Orphans } from './orphans.ts';
import { untilFinished } from './until-finished.ts';
import { WorkerCrew } from './worker-crew.ts';

export interface WorkerKillsOptions {
  readonly installations: number;
  /** The pace of the notification: so many recipients a second. */
  readonly perSecond: number;
  readonly kills: number;
  readonly everyMs: number;
  readonly random: SeededRandom;
  readonly onKill?: (kills: number) => void;
}

export interface WorkerKillsCounts {
  readonly kills: number;
  readonly recipients: number;
  /** From the request to the end of the notification: how well the pace was kept. */
  readonly tookMs: number;
  readonly pushes: number;
  /** Pushes that arrived for the second time, or more often. */
  readonly repeats: number;
  /** How many those may be: what was gated and not settled, summed over the kills. */
  readonly allowed: number;
  /** What a living worker sent again, because its connection broke before the answer came. */
  readonly unanswered: number;
  /** Deliveries that the ledger marks as possible duplicates. */
  readonly marked: number;
  /** Chunks that were taken from workers that live, and had no time to prolong their leases. */
  readonly lapses: number;
  /** Chunks that were left behind, and how long they waited for their next worker. */
  readonly orphans: number;
  readonly takeoverP99Ms: number;
  readonly takeoverMostMs: number;
}

const WORKERS = 3;
/** After the last kill; only bounds a failure. */
const PATIENCE_MS = 120_000;

/**
 * One of three workers is killed again and again while a notification to everyone goes out. Each
 * installation gets it; what comes twice was gated and not settled when its worker died,
 * has the same id, and is marked in the ledger; and the counters add up. Fails the test otherwise;
 * how long chunks waited is the caller's to judge.
 */
export async function killWorkers(
  site: KillSite,
  options: WorkerKillsOptions,
): Promise<WorkerKillsCounts> {
  const { installations, perSecond, kills, everyMs, random, onKill } = options;
  await using crew = new WorkerCrew(site, WORKERS);
  await crew.ready();
  await using orphans = new Orphans(site.homing.db);
  const sentAt = performance.now();
  const id = await site.backEnd.send({
    audience: { everyone: true },
    content: { title: 'The summer sale has begun' },
    options: { pace: { per_second: perSecond } },
  });
  for (let kill = 1; kill <= kills; kill += 1) {
    const next = delay(everyMs);
    await orphans.adopt(await crew.killOne(random));
    onKill?.(kill);
    await next;
  }
  const patienceMs = PATIENCE_MS + (1_000 * installations) / perSecond;
  await untilFinished(site.backEnd, [id], patienceMs);
  const tookMs = Math.round(performance.now() - sentAt);
  await orphans.allTaken();
  assert.deepEqual(crew.deaths, [], 'a worker ends when it is killed, and never otherwise');

  const referee = await readReferee(site);
  assert.equal(referee.arrivals.size, installations, 'nobody was skipped');
  const repeats = referee.pushes - referee.arrivals.size;
  const { allowed, takeoversMs, lapses } = orphans;
  const unanswered = await countUnanswered(site);
  const inDoubt = allowed + unanswered;
  assert(repeats <= inDoubt, `${repeats} repeats, where ${inDoubt} were in doubt`);
  const marked = await compareWithLedger(site, id, installations, referee.arrivals);
  return {
    kills,
    recipients: installations,
    tookMs,
    pushes: referee.pushes,
    repeats,
    allowed,
    unanswered,
    marked,
    lapses,
    orphans: takeoversMs.length,
    takeoverP99Ms: takeoversMs[Math.ceil(takeoversMs.length * 0.99) - 1] ?? 0,
    takeoverMostMs: takeoversMs.at(-1) ?? 0,
  };
}

interface RefereeWord {
  readonly pushes: number;
  /** How often it came to each token. */
  readonly arrivals: ReadonlyMap<string, { readonly id: string; count: number }>;
}

async function readReferee({ referee }: KillSite): Promise<RefereeWord> {
  const arrivals = new Map<string, { readonly id: string; count: number }>();
  let pushes = 0;
  for await (const { token, id } of referee.takenPushes()) {
    pushes += 1;
    const known = arrivals.get(token);
    if (known === undefined) arrivals.set(token, { id, count: 1 });
    else {
      assert.equal(id, known.id, 'a repeat has the id of the first');
      known.count += 1;
    }
  }
  return { pushes, arrivals };
}

/** Attempts of which a worker knows that they may have been taken, beside the one that was. */
async function countUnanswered({ homing }: KillSite): Promise<number> {
  const [row] = await homing.db<{ attempts: number }[]>`
    select coalesce(sum(attempts - 1), 0)::integer as attempts
    from delivery where attempts > 1 and possible_duplicate`;
  return row?.attempts ?? 0;
}

/** Returns how many deliveries are marked; each that arrived twice is among them. */
async function compareWithLedger(
  { backEnd, homing }: KillSite,
  id: string,
  installations: number,
  arrivals: RefereeWord['arrivals'],
): Promise<number> {
  const report = await backEnd.report(id);
  assertConserved(report);
  assert.equal(report['counts']?.['accepted'], installations);
  const rows = await homing.db<{ token: string }[]>`
    select i.token from delivery d join installation i using (installation_ref)
      join notification n using (notification_ref)
    where n.id = ${parseTypedId('ntf', id)} and d.possible_duplicate`;
  const marked = new Set(rows.map(({ token }) => token));
  assert.equal(report['possible_duplicates'], marked.size, 'the report counts the marks');
  for (const [token, { count }] of arrivals) {
    assert(count === 1 || marked.has(token), `${token} got it ${count} times, and is not marked`);
  }
  return marked.size;
}
