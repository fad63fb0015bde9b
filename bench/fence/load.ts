import assert from 'node:assert/strict';
import { takeArrivals, type LatencyStage } from '../latency/latency-stage.ts';
import type { Arrival } from '../latency/receiver.ts';
import { monotonicMs } from '../latency/monotonic-clock.ts';
import { runOpenLoop } from '../latency/open-loop.ts';
import { timedUser } from '../latency/timed-users.ts';
import { installationIdOf, secretOf, userIdOf } from '../site/population.ts';
import { follow, isOver, settledOf } from '../site/follow.ts';

/** How much is sent, and how many sign out meanwhile. */
export interface FencePlan {
  /** Pushes a second. */
  readonly perSecond: number;
  readonly seconds: number;
  /** Installations of the population. */
  readonly rows: number;
  /** Timed users from here on are signed in; a round uses up as many as it signs out. */
  readonly firstTimed: number;
  /** How many timed users there are; the others of the population are sent to as well. */
  readonly timedUsers: number;
}

export interface FenceResult {
  /** From the answer to each logout until the last push to its old owner arrived; 0 if none did. */
  readonly lagsMs: readonly number[];
  readonly pushes: number;
  readonly seconds: number;
}

/** Each request names so many users: enough that chunks under way are never out of sight. */
const REQUESTS_PER_SECOND = 10;
/** Of those of a request, so many are timed: some who are out already, and others who will be. */
const TIMED_PER_REQUEST = 100;
const LOGOUTS_PER_REQUEST = 20;
const ALREADY_OUT = 40;
/** The others have two phones each. */
const PHONES_OF_OTHERS = 2;

/** How many timed users a round needs. */
export function timedUsersForFence(seconds: number): number {
  return seconds * REQUESTS_PER_SECOND * LOGOUTS_PER_REQUEST + TIMED_PER_REQUEST;
}

/**
 * Sends to users and signs some of them out all the while, also while their pushes are under way,
 * and goes on sending to them after that. Throws when a logout is refused or a push gets lost.
 */
export async function runFence(
  stage: LatencyStage,
  key: string,
  plan: FencePlan,
): Promise<FenceResult> {
  const { client, receiver, interruption } = stage;
  await receiver.take();
  const outAtMs = new Map<string, number>();
  const ids: string[] = [];
  const startedAtMs = performance.now();
  const loop = { perSecond: REQUESTS_PER_SECOND, seconds: plan.seconds, interruption };
  await runOpenLoop(loop, async (request) => {
    const users = usersOf(plan, request);
    ids.push(await client.notify({ audience: { users }, content: CONTENT }));
    const first = plan.firstTimed + request * LOGOUTS_PER_REQUEST;
    for (let index = first; index < first + LOGOUTS_PER_REQUEST; index += 1) {
      const { number, token } = timedUser(index);
      await signOut(stage, key, number);
      outAtMs.set(token, monotonicMs());
    }
  });
  const reports = await Promise.all(ids.map((id) => follow(client, id, interruption, isOver)));
  const pushes = reports.reduce((sum, report) => sum + (report.counts['accepted'] ?? 0), 0);
  const settled = reports.reduce((sum, report) => sum + settledOf(report), 0);
  assert(pushes > 0 && settled >= pushes);
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { lagsMs: lagsOf(outAtMs, await takeArrivals(stage, 0)), pushes, seconds };
}

const CONTENT = { title: 'Your bank', body: 'Somebody has paid you 12 euros.' };

/** Timed users slide past: first they are to be signed out, then they are out. */
function usersOf(plan: FencePlan, request: number): readonly string[] {
  const from = plan.firstTimed + request * LOGOUTS_PER_REQUEST - ALREADY_OUT;
  const timed = Array.from({ length: TIMED_PER_REQUEST }, (_, index) => from + index)
    .filter((index) => index >= 0)
    .map((index) => timedUser(index).userId);
  const missing = plan.perSecond / REQUESTS_PER_SECOND - timed.length;
  const others = Math.max(0, Math.ceil(missing / PHONES_OF_OTHERS));
  return [
    ...timed,
    ...Array.from({ length: others }, (_, index) => otherUser(plan, request, index)),
  ];
}

/** Users behind the timed ones, all of them in turn. */
function otherUser({ timedUsers, rows }: FencePlan, request: number, index: number): string {
  const first = timedUser(timedUsers).number / 4;
  const count = Math.floor(rows / 4) - first;
  return userIdOf((first + ((request * 997 + index) % count)) * 4);
}

async function signOut({ client }: LatencyStage, key: string, number: number): Promise<void> {
  await client.ask(
    {
      method: 'DELETE',
      path: `/v1/installations/${installationIdOf(number)}/user?seq=2`,
      headers: {
        authorization: `Bearer ${key}`,
        'homing-installation-secret': secretOf(number),
      },
    },
    204,
  );
}

function lagsOf(
  outAtMs: ReadonlyMap<string, number>,
  arrivals: readonly Arrival[],
): readonly number[] {
  const lastAtMs = new Map<string, number>();
  for (const { token, atMs } of arrivals) lastAtMs.set(token, atMs);
  return [...outAtMs].map(([token, outMs]) => Math.max(0, (lastAtMs.get(token) ?? 0) - outMs));
}
