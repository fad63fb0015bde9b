import assert from 'node:assert/strict';
import { createApnsKey } from '@homing/simulators';
import { ScratchDirectory } from '../packages/homing/test/scratch-directory.ts';
import type { Benchmark, BenchmarkSetting } from './benchmark.ts';
import { buryTokens, forgetDeaths } from './campaign/dead-tokens.ts';
import { runCampaign, type CampaignRound, type CampaignStage } from './campaign/campaign-run.ts';
import { medianOf, rateFigure } from './figure.ts';
import { Meter } from './meter.ts';
import { NGINX, startNginx } from './neutral/nginx.ts';
import { atLeast, atMost, type Reach } from './reach.ts';
import { alternate, type Round } from './round.ts';
import { ApiClient } from './site/api-client.ts';
import { openSite } from './site/site.ts';
import { SenderProcess } from './wire/sender-process.ts';

interface CampaignOptions extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly requests: number;
  readonly rounds: number;
}

const STREAMS = 1_000;
const MEBIBYTE = 1024 ** 2;

/**
 * One notification to everybody, by one API process and one worker, against the same connection
 * with nothing behind it. Phases: fill the database; campaigns and the bare wire in turn.
 */
export const campaignBenchmark: Benchmark<CampaignOptions> = {
  name: 'campaign',
  summary: 'one notification to everybody until its last outcome, against the bare wire',
  defaults: { rows: 1_000_000, requests: 200_000, rounds: 5 },
  tools: [NGINX],
  libraries: [],
  async run(setting) {
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(await ScratchDirectory.create());
    const wire = await openWire(setting, stack);
    const stage = await openStage(setting, stack, scratch);
    const campaigns: CampaignRound[] = [];
    const campaign = async (): Promise<Round> => {
      const round = await runCampaign(stage);
      campaigns.push(round);
      return round;
    };
    const results = await alternate(
      [
        { name: 'wire', round: wire },
        { name: 'campaign', round: campaign },
      ],
      { ...setting, rounds: setting.options.rounds, settle: () => settle(stage) },
    );
    const figures = [...results].map(([name, rounds]) => rateFigure(name, rounds));
    const [reference, ours] = figures.map(({ spread }) => spread.median);
    assert(reference !== undefined && ours !== undefined);
    return {
      figures,
      notes: [
        'µs are processor time per push: of the sender, or of worker, API and PostgreSQL; of nginx.',
        `Each of ${campaigns.length} campaigns had an outcome for every installation.`,
      ],
      reaches: [atLeast('campaign / wire', ours / reference, 0.35), ...memoryReaches(campaigns)],
    };
  },
};

function memoryReaches(campaigns: readonly CampaignRound[]): readonly Reach[] {
  const peak = Math.max(...campaigns.map((round) => round.peakRssAtEndBytes)) / MEBIBYTE;
  const growth = medianOf(
    campaigns.map((round) => round.peakRssAtEndBytes / round.peakRssAtTenthBytes),
  );
  return [
    atMost('peak memory of the worker in MiB', peak, 400),
    atMost('peak memory at the end / after a tenth', growth, 1.1),
  ];
}

/** Ours on an nginx of its own, so that both parties' processor time is told apart. */
async function openWire(
  { options, interruption }: BenchmarkSetting<CampaignOptions>,
  stack: AsyncDisposableStack,
): Promise<() => Promise<Round>> {
  const nginx = stack.use(await startNginx({ streams: STREAMS, receiverSocket: null }));
  const target = {
    url: nginx.url,
    path: '/3/device/',
    authorityPem: nginx.authorityPem,
    apnsKeyPem: createApnsKey().privateKeyPem,
    streams: STREAMS,
  };
  const sender = stack.use(await SenderProcess.start('homing', target, interruption));
  return async () => {
    const pids = { sender: sender.pid, nginx: nginx.pid };
    const meter = new Meter({ pids, ended: null, peakOf: 'sender' });
    return meter.round(options.requests, await sender.run(options.requests));
  };
}

async function openStage(
  setting: BenchmarkSetting<CampaignOptions>,
  stack: AsyncDisposableStack,
  scratch: ScratchDirectory,
): Promise<CampaignStage> {
  const { rows } = setting.options;
  const nginx = stack.use(await startNginx({ streams: STREAMS, receiverSocket: null }));
  const site = stack.use(
    await openSite(
      scratch,
      { rows, providers: nginx, complete: (db, appRef) => buryTokens(db, appRef, rows) },
      setting,
    ),
  );
  const api = stack.use(await site.serveApi());
  const worker = stack.use(await site.startWorker());
  const client = stack.use(new ApiClient(api.url, site.app.secretKey));
  const { interruption } = setting;
  return { site, api, worker, client, nginx, rows, interruption };
}

async function settle({ site }: CampaignStage): Promise<void> {
  await forgetDeaths(site.db);
  await site.db.unsafe('checkpoint');
}
