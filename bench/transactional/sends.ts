import assert from 'node:assert/strict';
import { latenciesOf, type LatencyRound } from '../latency/latencies.ts';
import { takeArrivals, type LatencyStage } from '../latency/latency-stage.ts';
import { monotonicMs } from '../latency/monotonic-clock.ts';
import { runOpenLoop } from '../latency/open-loop.ts';
import { timedUser, type TimedUser } from '../latency/timed-users.ts';
import { Meter, type MeteredParties } from '../meter.ts';

/** How many sends there are, and how fast they begin. */
export interface SendPlan {
  readonly perSecond: number;
  readonly seconds: number;
}

/**
 * Sends to one timed user after the other at a fixed rate, and returns how long each push took from
 * the beginning of its send until the provider had it. Throws when one is missing or came twice.
 */
export async function timeSends(
  stage: LatencyStage,
  plan: SendPlan,
  parties: MeteredParties,
  send: (user: TimedUser) => Promise<void>,
): Promise<LatencyRound> {
  const { interruption, receiver } = stage;
  // What a round before left under way counts for nobody.
  await receiver.take();
  const begunAtMs = new Map<string, number>();
  const meter = new Meter(parties);
  await runOpenLoop({ ...plan, interruption }, async (index) => {
    const user = timedUser(index);
    begunAtMs.set(user.token, monotonicMs());
    await send(user);
  });
  const arrivals = await takeArrivals(stage, begunAtMs.size);
  const round = meter.round(begunAtMs.size, plan.seconds);
  const timesMs = arrivals.map(({ token, atMs }) => atMs - (begunAtMs.get(token) ?? Number.NaN));
  assert.equal(new Set(arrivals.map(({ token }) => token)).size, begunAtMs.size);
  assert.equal(arrivals.length, begunAtMs.size, 'a push came twice');
  return { ...round, ...latenciesOf(timesMs) };
}
