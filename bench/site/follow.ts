import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { ApiClient, NotificationReport } from './api-client.ts';

const LOOK_EVERY_MS = 100;

/** What is final in a report, and what is not yet. */
const STATES = ['accepted', 'failed', 'expired', 'skipped', 'unknown', 'retrying', 'pending'];

/** Looks at a notification until it is as wanted, ten times a second; an interruption throws. */
export async function follow(
  client: ApiClient,
  id: string,
  interruption: AbortSignal,
  isWanted: (report: NotificationReport) => boolean,
): Promise<NotificationReport> {
  for (;;) {
    const report = await client.report(id);
    if (isWanted(report)) return report;
    await wait(LOOK_EVERY_MS, undefined, { signal: interruption });
  }
}

/** Whether nothing of it is left to be done, of a cancelled one neither. */
export function isOver({ finished_at: finishedAt }: NotificationReport): boolean {
  return finishedAt !== null;
}

/** How many deliveries of a report have a final outcome. */
export function settledOf({ counts }: NotificationReport): number {
  return STATES.slice(0, 5).reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** The law of every report: each expected delivery is in exactly one state. */
export function assertConserved({ counts }: NotificationReport): void {
  const sum = STATES.reduce((total, state) => total + (counts[state] ?? Number.NaN), 0);
  assert.equal(sum, counts['expected'], JSON.stringify(counts));
}
