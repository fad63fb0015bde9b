import type { Clock } from './domain/clock.ts';
import { warnOfExpiry } from './credentials/warn-of-expiry.ts';
import { advanceReviews, beginDueReviews, decideByPolicy } from './registry/review.ts';
import { settleCalm } from './registry/settle-calm.ts';
import { createPartitions } from './store/partitions.ts';
import { retentionRules, type RetentionRule } from './store/retention.ts';
import type { Database } from './store/sql.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Keeps the database in shape while the process lives. */
export interface Maintenance extends AsyncDisposable {
  /** Makes the partitions that are needed at once; everything else follows, now and hourly. */
  start(): Promise<void>;
  /** Does what is due now, and resolves when it is done. */
  run(): Promise<void>;
  /** The same without waiting for it, for whoever made something due. */
  wake(): void;
}

export interface MaintenanceOptions {
  readonly db: Database;
  readonly clock: Clock;
  /** How long notifications and the ledger are kept. */
  readonly deliveryDays: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Partitions ahead of time, warnings, retention and reviews. Several processes may do it at once:
 * each step is a short transaction that finds its work under locks. A failure is reported and tried
 * again an hour later.
 */
export function createMaintenance(options: MaintenanceOptions): Maintenance {
  const { db, clock, onError } = options;
  const rules = retentionRules(options.deliveryDays);
  const stopping = new AbortController();
  const { signal } = stopping;
  let timer: NodeJS.Timeout | null = null;
  let lastRun: Promise<void> = Promise.resolve();
  const doChores = async (): Promise<void> => {
    const now = clock();
    const chores = [
      () => createPartitions(db, now),
      () => settleCalm(db, now),
      () => warnOfExpiry(db, now),
      () => beginDueReviews(db, now),
      () => decideByPolicy(db, now),
      () => advanceReviews({ db, clock, signal, onError }),
      ...rules.map((rule) => () => keep(db, rule, now, signal)),
    ];
    // One chore that fails, hour after hour, must not keep the others from being done.
    for (const chore of chores) await chore().catch(onError);
  };
  const run = (): Promise<void> => {
    lastRun = lastRun.then(doChores);
    return lastRun;
  };
  return {
    async start() {
      await createPartitions(db, clock()).catch(onError);
      void run();
      timer = setInterval(() => void run(), HOUR_MS).unref();
    },
    run,
    wake: () => void run(),
    async [Symbol.asyncDispose]() {
      if (timer !== null) clearInterval(timer);
      stopping.abort();
      await lastRun;
    },
  };
}

/** Drops what a rule keeps no longer, bit by bit. */
async function keep(
  db: Database,
  rule: RetentionRule,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const before = new Date(now.getTime() - rule.days * DAY_MS);
  let dropped = 1;
  while (dropped > 0 && !signal.aborted) dropped = await rule.drop(db, before);
}
