import assert from 'node:assert/strict';
import { ScratchDirectory } from '../packages/homing/test/scratch-directory.ts';
import type { Benchmark } from './benchmark.ts';
import { rateFigure } from './figure.ts';
import { Meter } from './meter.ts';
import { NGINX, startNginx } from './neutral/nginx.ts';
import { atLeast } from './reach.ts';
import { alternate, type Contestant } from './round.ts';
import { FIREBASE_ADMIN } from './wire/firebase-admin.ts';
import { SenderProcess, type SenderName } from './wire/sender-process.ts';

interface WireFcmOptions extends Readonly<Record<string, number>> {
  readonly requests: number;
  readonly streams: number;
  readonly rounds: number;
}

/** Pushes to FCM by our provider, against Google's own library. */
export const wireFcmBenchmark: Benchmark<WireFcmOptions> = {
  name: 'wire-fcm',
  summary: 'messages to FCM, against firebase-admin',
  defaults: { requests: 50_000, streams: 1_000, rounds: 5 },
  tools: [NGINX],
  libraries: [FIREBASE_ADMIN],
  async run(setting) {
    await using stack = new AsyncDisposableStack();
    stack.use(await ScratchDirectory.create());
    const { requests, streams, rounds } = setting.options;
    const { interruption } = setting;
    const nginx = stack.use(await startNginx({ streams, receiverSocket: null }));
    const { url, authorityPem } = nginx;
    const target = { url, path: '', authorityPem, apnsKeyPem: '', streams };
    const contestant = async (name: SenderName): Promise<Contestant> => {
      const sender = stack.use(await SenderProcess.start(name, target, interruption));
      const round = async () => {
        const pids = { sender: sender.pid, server: nginx.pid };
        const meter = new Meter({ pids, ended: null, peakOf: 'sender' });
        return meter.round(requests, await sender.run(requests));
      };
      return { name, round };
    };
    const contestants = [await contestant('homing FCM'), await contestant('firebase-admin')];
    const results = await alternate(contestants, { ...setting, rounds, settle: null });
    const figures = [...results].map(([name, taken]) => rateFigure(name, taken));
    const [ours, reference] = figures.map(({ spread }) => spread.median);
    assert(ours !== undefined && reference !== undefined);
    return {
      figures,
      notes: ['µs are processor time per message: of the sender, and of the server that takes it.'],
      reaches: [atLeast('homing FCM / firebase-admin', ours / reference, 20)],
    };
  },
};
