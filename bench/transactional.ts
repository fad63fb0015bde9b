import type { Benchmark, BenchmarkResult } from './benchmark.ts';
import { medianOf } from './figure.ts';
import { latencyFigures, type LatencyRound } from './latency/latencies.ts';
import { homingParties, openLatencyStage, type LatencyStage } from './latency/latency-stage.ts';
import { NGINX } from './neutral/nginx.ts';
import { atMost } from './reach.ts';
import { alternate } from './round.ts';
import { Bare } from './transactional/bare.ts';
import { besideCampaign } from './transactional/beside-campaign.ts';
import { timeSends, type SendPlan } from './transactional/sends.ts';

interface TransactionalOptions extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
}

const CONTENT = { title: 'Your code', body: 'It is 123456.' };

/**
 * Sends to single users, from the POST until the provider has the push. Contestants in turn: the
 * least that a durable push can cost; ours with nothing else to do; ours beside a campaign that
 * goes as fast as it can; ours beside one that is paced to half of that.
 */
export const transactionalBenchmark: Benchmark<TransactionalOptions> = {
  name: 'transactional',
  summary: 'single sends until the provider has them, idle and beside campaigns',
  defaults: { rows: 500_000, rate: 500, seconds: 10, rounds: 7 },
  tools: [NGINX],
  libraries: [],
  async run(setting) {
    await using stack = new AsyncDisposableStack();
    const { rows, rate, seconds } = setting.options;
    const population = { rows, timedUsers: rate * seconds };
    const stage = await openLatencyStage(stack, population, setting);
    const bare = stack.use(await Bare.start(stage));
    const run = new TransactionalRun(stage, bare, { perSecond: rate, seconds });
    const results = await alternate(
      [
        { name: 'bare', round: () => run.bare() },
        { name: 'idle', round: () => run.idle() },
        { name: 'beside a campaign', round: () => run.besideUnpaced() },
        { name: 'beside a paced one', round: () => run.besidePaced() },
      ],
      { ...setting, rounds: setting.options.rounds, settle: () => checkpoint(stage) },
    );
    return resultOf(results, run.notes);
  },
};

class TransactionalRun {
  readonly #stage: LatencyStage;
  readonly #bare: Bare;
  readonly #plan: SendPlan;
  readonly #campaignRates: number[] = [];
  #endedEarly = 0;

  constructor(stage: LatencyStage, bare: Bare, plan: SendPlan) {
    this.#stage = stage;
    this.#bare = bare;
    this.#plan = plan;
  }

  get notes(): readonly string[] {
    const early = this.#endedEarly;
    return [
      ...this.#campaignRates.map((rate) => `A campaign went at ${Math.round(rate)}/s meanwhile.`),
      ...(early === 0 ? [] : [`${early} campaigns were over too early: take more --rows.`]),
    ];
  }

  bare(): Promise<LatencyRound> {
    return timeSends(this.#stage, this.#plan, this.#bare.parties, (user) => this.#bare.send(user));
  }

  idle(): Promise<LatencyRound> {
    const { client } = this.#stage;
    return timeSends(this.#stage, this.#plan, homingParties(this.#stage), async ({ userId }) => {
      await client.notify({ audience: { users: [userId] }, content: CONTENT });
    });
  }

  async besideUnpaced(): Promise<LatencyRound> {
    const { result, perSecond, endedEarly } = await this.#beside(null);
    if (!endedEarly) this.#campaignRates.push(perSecond);
    return result;
  }

  /** Paced to half of what the campaigns before have reached. */
  async besidePaced(): Promise<LatencyRound> {
    const reached = this.#campaignRates.length === 0 ? 1_000 : medianOf(this.#campaignRates);
    const { result } = await this.#beside(Math.max(1, Math.round(reached / 2)));
    return result;
  }

  async #beside(pacePerSecond: number | null) {
    const beside = await besideCampaign(this.#stage, pacePerSecond, () => this.idle());
    if (beside.endedEarly) this.#endedEarly += 1;
    return beside;
  }
}

function resultOf(
  results: ReadonlyMap<string, readonly LatencyRound[]>,
  notes: readonly string[],
): BenchmarkResult {
  const p99 = (name: string): number =>
    medianOf((results.get(name) ?? []).map((round) => round.p99Ms));
  return {
    figures: [...results].flatMap(([name, rounds]) => latencyFigures(name, rounds)),
    notes: [
      'From the beginning of the POST until the provider has the push.',
      'µs are processor time per send, the campaign beside it included.',
      ...notes,
    ],
    reaches: [
      atMost('p99, idle / bare', p99('idle') / p99('bare'), 4),
      atMost('p99, beside a campaign / idle', p99('beside a campaign') / p99('idle'), 3),
      atMost('p99, beside a paced one / idle', p99('beside a paced one') / p99('idle'), 1.5),
    ],
  };
}

async function checkpoint({ site }: LatencyStage): Promise<void> {
  await site.db.unsafe('checkpoint');
}
