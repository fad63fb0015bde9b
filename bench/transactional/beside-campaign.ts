import { CAMPAIGN_CONTENT } from '../campaign/campaign-run.ts';
import type { LatencyStage } from '../latency/latency-stage.ts';
import { follow, isOver, settledOf } from '../site/follow.ts';

export interface Beside<Result> {
  readonly result: Result;
  /** How fast the campaign went meanwhile, in deliveries a second. */
  readonly perSecond: number;
  /** It was over before the work was, so that some of it had nothing beside it. */
  readonly endedEarly: boolean;
}

/** Does some work beside a campaign to everybody, which is stopped afterwards. */
export async function besideCampaign<Result>(
  { client, interruption }: LatencyStage,
  pacePerSecond: number | null,
  work: () => Promise<Result>,
): Promise<Beside<Result>> {
  const options = pacePerSecond === null ? {} : { pace: { per_second: pacePerSecond } };
  const id = await client.notify({
    audience: { everyone: true },
    content: CAMPAIGN_CONTENT,
    options: { lane: 'bulk', priority: 'normal', ...options },
  });
  const before = await follow(client, id, interruption, (report) => settledOf(report) > 0);
  const startedAtMs = performance.now();
  const result = await work();
  const seconds = (performance.now() - startedAtMs) / 1000;
  const after = await client.report(id);
  if (!isOver(after)) await client.cancel(id);
  await follow(client, id, interruption, isOver);
  const perSecond = (settledOf(after) - settledOf(before)) / seconds;
  return { result, perSecond, endedEarly: isOver(after) };
}
