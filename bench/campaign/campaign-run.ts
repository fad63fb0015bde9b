import assert from 'node:assert/strict';
import { Meter } from '../meter.ts';
import { forgetPeakRss, peakRssBytesOf } from '../process-account.ts';
import type { Round } from '../round.ts';
import type { ApiClient, NotificationReport } from '../site/api-client.ts';
import { assertConserved, follow, isOver, settledOf } from '../site/follow.ts';
import type { ServedApi, ServedWorker, Site } from '../site/site.ts';
import type { NeutralServer } from '../neutral/neutral-server.ts';
import { deadAmong } from './dead-tokens.ts';

export const CAMPAIGN_CONTENT = {
  title: 'Everything must go',
  body: 'Our summer sale has begun: thirty percent off until Sunday.',
};

/** What takes part in a campaign. */
export interface CampaignStage {
  readonly site: Site;
  readonly api: ServedApi;
  readonly worker: ServedWorker;
  readonly client: ApiClient;
  readonly nginx: NeutralServer;
  readonly rows: number;
  readonly interruption: AbortSignal;
}

export interface CampaignRound extends Round {
  /** The most memory that the worker held until a tenth was done, and until all was. */
  readonly peakRssAtTenthBytes: number;
  readonly peakRssAtEndBytes: number;
}

/**
 * One notification to every installation, from its POST until the last outcome is in the ledger.
 * Throws when one of them is missing, or is another one than it has to be.
 */
export async function runCampaign(stage: CampaignStage): Promise<CampaignRound> {
  const { api, worker, client, rows, interruption, nginx, site } = stage;
  const pids = { worker: worker.pid, api: api.pid, database: site.postgres.pid, nginx: nginx.pid };
  forgetPeakRss(worker.pid);
  const meter = new Meter({ pids, ended: null, peakOf: 'worker' });
  const postedAtMs = Date.now();
  const id = await client.notify({ audience: { everyone: true }, content: CAMPAIGN_CONTENT });
  await follow(client, id, interruption, (report) => settledOf(report) >= rows / 10);
  const peakRssAtTenthBytes = peakRssBytesOf(worker.pid);
  const report = await follow(client, id, interruption, isOver);
  const finishedAtMs = Date.parse(report.finished_at ?? '');
  const round = meter.round(rows, (finishedAtMs - postedAtMs) / 1000);
  assertOutcomes(report, rows);
  return { ...round, peakRssAtTenthBytes, peakRssAtEndBytes: peakRssBytesOf(worker.pid) };
}

function assertOutcomes(report: NotificationReport, rows: number): void {
  assertConserved(report);
  const { expected, accepted, failed } = report.counts;
  const dead = deadAmong(rows);
  assert.deepEqual(
    { expected, accepted, failed },
    { expected: rows, accepted: rows - dead, failed: dead },
    JSON.stringify(report),
  );
}
