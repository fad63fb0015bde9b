import type { Benchmark } from './benchmark.ts';
import { medianOf, rateFigure } from './figure.ts';
import { runFence, timedUsersForFence } from './fence/load.ts';
import { latenciesOf, latencyFigures, type LatencyRound } from './latency/latencies.ts';
import { homingParties, openLatencyStage } from './latency/latency-stage.ts';
import { Meter } from './meter.ts';
import { NGINX } from './neutral/nginx.ts';
import { atLeast, atMost } from './reach.ts';
import { alternate } from './round.ts';

interface FenceOptions extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
}

interface FenceRound extends LatencyRound {
  readonly pushes: number;
  readonly pushSeconds: number;
  /** Logouts after which something still came to the old owner. */
  readonly late: number;
}

/**
 * From the answer to a logout until the last push to the old owner, while others, and the same, are
 * sent to at full speed. It has no reference: what it keeps is a promise in seconds.
 */
export const fenceBenchmark: Benchmark<FenceOptions> = {
  name: 'fence',
  summary: 'a logout until the last push to its old owner, while thousands are sent',
  defaults: { rows: 200_000, rate: 10_000, seconds: 10, rounds: 5 },
  tools: [NGINX],
  libraries: [],
  async run(setting) {
    await using stack = new AsyncDisposableStack();
    const { rows, rate, seconds, rounds } = setting.options;
    const perRound = timedUsersForFence(seconds);
    const timedUsers = perRound * (rounds + 1);
    const stage = await openLatencyStage(stack, { rows, timedUsers }, setting);
    let firstTimed = 0;
    const round = async (): Promise<FenceRound> => {
      const meter = new Meter(homingParties(stage));
      const plan = { perSecond: rate, seconds, rows, firstTimed, timedUsers };
      firstTimed += perRound;
      const result = await runFence(stage, stage.site.app.publishableKey, plan);
      const { lagsMs, pushes, seconds: pushSeconds } = result;
      const late = lagsMs.filter((lagMs) => lagMs > 0).length;
      const metered = meter.round(lagsMs.length, pushSeconds);
      return { ...metered, ...latenciesOf(lagsMs), pushes, pushSeconds, late };
    };
    const results = await alternate([{ name: 'logout', round }], {
      ...setting,
      rounds,
      settle: null,
    });
    const taken = results.get('logout') ?? [];
    const late = taken.reduce((sum, { late }) => sum + late, 0);
    const logouts = taken.reduce((sum, { operations }) => sum + operations, 0);
    const pushRounds = taken.map((one) => ({
      ...one,
      operations: one.pushes,
      seconds: one.pushSeconds,
    }));
    const meanwhile = rateFigure('pushes meanwhile', pushRounds);
    return {
      figures: [...latencyFigures('logout', taken), meanwhile],
      notes: [
        'From the answer to a logout until the last push to its old owner; 0 where none came later.',
        `After ${late} of ${logouts} logouts a push that was under way still came.`,
      ],
      reaches: [
        atMost('p99 in ms', medianOf(taken.map(({ p99Ms }) => p99Ms)), 50),
        atMost('max in ms', Math.max(...taken.map(({ maxMs }) => maxMs)), 1_000),
        // Otherwise there was less to keep behind the fence than was meant.
        atLeast('pushes meanwhile / those asked for', meanwhile.spread.median / rate, 0.9),
      ],
    };
  },
};
