import assert from 'node:assert/strict';
import type { Benchmark } from './benchmark.ts';
import { rateFigure, type Figure } from './figure.ts';
import { Meter } from './meter.ts';
import { atLeast } from './reach.ts';
import { alternate, type Contestant } from './round.ts';
import { MakerProcess } from './webpush/maker-process.ts';
import type { MakerName } from './webpush/maker.ts';
import { OPENSSL, opensslRound } from './webpush/openssl-speed.ts';
import { WEB_PUSH } from './webpush/web-push-maker.ts';

interface WebPushOptions extends Readonly<Record<string, number>> {
  readonly messages: number;
  readonly seconds: number;
  readonly rounds: number;
}

/**
 * What a message of Web Push costs before it is sent: content, encryption for a subscription of its
 * own, VAPID header, request. OpenSSL's own figure for the shared secret, which nobody can leave
 * out, says how fast the machine is.
 */
export const webPushBenchmark: Benchmark<WebPushOptions> = {
  name: 'webpush',
  summary: 'messages made for fresh subscriptions, against web-push and openssl speed ecdhp256',
  defaults: { messages: 20_000, seconds: 3, rounds: 5 },
  tools: [OPENSSL],
  libraries: [WEB_PUSH],
  async run(setting) {
    await using stack = new AsyncDisposableStack();
    const { messages, seconds, rounds } = setting.options;
    const { interruption } = setting;
    const contestant = async (name: MakerName): Promise<Contestant> => {
      const maker = stack.use(await MakerProcess.start(name, interruption));
      const round = async () => {
        const meter = new Meter({ pids: { maker: maker.pid }, ended: null, peakOf: 'maker' });
        return meter.round(messages, await maker.run(messages));
      };
      return { name, round };
    };
    const contestants = [
      await contestant('homing'),
      await contestant(WEB_PUSH),
      await contestant('homing, threads'),
      { name: 'openssl', round: () => opensslRound(seconds, interruption) },
    ];
    const results = await alternate(contestants, { ...setting, rounds, settle: null });
    const figures = [...results].map(([name, taken]) => rateFigure(name, taken));
    const rate = (name: string): number => figureOf(figures, name).spread.median;
    const cost = (name: string): number => figureOf(figures, name).cpuMicroseconds['maker'] ?? NaN;
    return {
      figures,
      notes: [
        '"homing" encrypts on its main thread, "homing, threads" on one for each core.',
        '"openssl" only derives shared secrets, in one process.',
        'µs are processor time per message, or per shared secret.',
      ],
      reaches: [
        atLeast('messages per CPU second, homing / web-push', cost(WEB_PUSH) / cost('homing'), 2.5),
        atLeast(
          'homing, threads / openssl ecdhp256',
          rate('homing, threads') / rate('openssl'),
          0.3,
        ),
      ],
    };
  },
};

function figureOf(figures: readonly Figure[], name: string): Figure {
  const figure = figures.find((candidate) => candidate.name === name);
  assert(figure !== undefined, name);
  return figure;
}
