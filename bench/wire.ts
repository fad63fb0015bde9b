import assert from 'node:assert/strict';
import { createApnsKey } from '@homing/simulators';
import { ScratchDirectory } from '../packages/homing/test/scratch-directory.ts';
import type { Benchmark, BenchmarkSetting } from './benchmark.ts';
import { rateFigure, type Figure } from './figure.ts';
import { Meter } from './meter.ts';
import { NGHTTPD, NGHTTPD_PATH, startNghttpd } from './neutral/nghttpd.ts';
import { NGINX, startNginx } from './neutral/nginx.ts';
import type { NeutralServer } from './neutral/neutral-server.ts';
import { atLeast, type Reach } from './reach.ts';
import { alternate, type Contestant, type Round } from './round.ts';
import { H2LOAD, H2load } from './wire/h2load.ts';
import { NODE_APN } from './wire/node-apn.ts';
import type { SenderTarget } from './wire/sender.ts';
import { SenderProcess, type SenderName } from './wire/sender-process.ts';

interface WireOptions extends Readonly<Record<string, number>> {
  readonly requests: number;
  readonly streams: number;
  readonly rounds: number;
}

/**
 * Pushes to APNs on one connection, against two servers that nobody here has written: nginx, whose
 * answers come in small TLS records, and nghttpd, whose answers come many to one.
 */
export const wireBenchmark: Benchmark<WireOptions> = {
  name: 'wire',
  summary: 'APNs-shaped POSTs, against h2load, node:http2 and @parse/node-apn',
  defaults: { requests: 200_000, streams: 1_000, rounds: 5 },
  tools: [H2LOAD, NGINX, NGHTTPD],
  libraries: [NODE_APN],
  async run(setting) {
    await using stack = new AsyncDisposableStack();
    stack.use(await ScratchDirectory.create());
    const { streams, rounds } = setting.options;
    const nginx = stack.use(await startNginx({ streams, receiverSocket: null }));
    const nghttpd = stack.use(await startNghttpd(streams));
    const wire = new Wire(setting, stack);
    const contestants = [
      await wire.sender('homing', nginx),
      await wire.h2load(nginx),
      await wire.sender('node:http2', nginx),
      await wire.sender('@parse/node-apn', nginx),
      await wire.sender('homing', nghttpd),
      await wire.h2load(nghttpd),
      await wire.sender('node:http2', nghttpd),
    ];
    const { say, interruption } = setting;
    const results = await alternate(contestants, { rounds, say, settle: null, interruption });
    const figures = [...results].map(([name, rounds]) => rateFigure(name, rounds));
    return {
      figures,
      notes: [
        `Each sent ${setting.options.requests} per round on one connection of ${streams} streams.`,
        'µs are processor time per push: of the sender, and of the server that takes it.',
      ],
      reaches: wireReaches(figures),
    };
  },
};

/** Makes contestants, each with what it needs until the run ends. */
class Wire {
  readonly #setting: BenchmarkSetting<WireOptions>;
  readonly #owned: AsyncDisposableStack;
  readonly #apnsKeyPem = createApnsKey().privateKeyPem;

  constructor(setting: BenchmarkSetting<WireOptions>, owned: AsyncDisposableStack) {
    this.#setting = setting;
    this.#owned = owned;
  }

  async sender(name: SenderName, server: NeutralServer): Promise<Contestant> {
    const { authorityPem, url } = server;
    const { options, interruption } = this.#setting;
    const { streams } = options;
    const apnsKeyPem = this.#apnsKeyPem;
    const target: SenderTarget = { url, path: pathOf(server), authorityPem, apnsKeyPem, streams };
    const sender = this.#owned.use(await SenderProcess.start(name, target, interruption));
    return {
      name: `${name}, ${server.name}`,
      round: () => {
        const pids = { sender: sender.pid, server: server.pid };
        return this.#round(new Meter({ pids, ended: null, peakOf: 'sender' }), (count) =>
          sender.run(count),
        );
      },
    };
  }

  async h2load(server: NeutralServer): Promise<Contestant> {
    const { options, interruption } = this.#setting;
    const { streams } = options;
    const load = await H2load.prepare({ server, path: pathOf(server), streams, interruption });
    return {
      name: `h2load, ${server.name}`,
      round: () => {
        const pids = { server: server.pid };
        return this.#round(new Meter({ pids, ended: 'sender', peakOf: null }), (count) =>
          load.run(count),
        );
      },
    };
  }

  async #round(meter: Meter, run: (count: number) => Promise<number>): Promise<Round> {
    const { requests } = this.#setting.options;
    return meter.round(requests, await run(requests));
  }
}

function pathOf({ name }: NeutralServer): string {
  return name === 'nghttpd' ? NGHTTPD_PATH : '/3/device/';
}

function wireReaches(figures: readonly Figure[]): readonly Reach[] {
  const rate = (name: string): number => figureOf(figures, name).spread.median;
  const cost = (name: string): number => figureOf(figures, name).cpuMicroseconds['sender'] ?? NaN;
  return [
    atLeast('homing / h2load, nginx', rate('homing, nginx') / rate('h2load, nginx'), 0.8),
    atLeast(
      'pushes per CPU second, homing / node:http2, nginx',
      cost('node:http2, nginx') / cost('homing, nginx'),
      4,
    ),
    atLeast(
      'pushes per CPU second, homing / node:http2, nghttpd',
      cost('node:http2, nghttpd') / cost('homing, nghttpd'),
      15,
    ),
  ];
}

function figureOf(figures: readonly Figure[], name: string): Figure {
  const figure = figures.find((candidate) => candidate.name === name);
  assert(figure !== undefined, name);
  return figure;
}
