import { advanceReviews, beginDueReviews, decideByPolicy } from './registry/review.ts';
import { dropIdempotencyKeys } from './store/idempotency.ts';
import { dropTombstones } from './store/installations.ts';
import { createPartitions, dropExpiredRows } from './store/maintenance.ts';
import type { Database } from './store/sql.ts';
import type { Clock } from './domain/clock.ts';
import { LIMITS } from './domain/limits.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Keeps the database in shape while the process lives. */
export interface Maintenance extends AsyncDisposable {
  /** Makes what is needed at once; the rest follows hourly. */
  start(): Promise<void>;
  /** Does what is due now, and resolves when it is done. */
  run(): Promise<void>;
  /** The same without waiting for it, for whoever made something due. */
  wake(): void;
}

/** Partitions ahead of time, and retention. A failure is reported and tried again an hour later. */
export function createMaintenance(
  db: Database,
  clock: Clock,
  onError: (error: unknown) => void,
): Maintenance {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let lastRun: Promise<void> = Promise.resolve();
  const doChores = async (): Promise<void> => {
    const now = clock();
    const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
    const chores = [
      () => createPartitions(db, now),
      () => dropExpiredRows(db, now),
      () => dropIdempotencyKeys(db, daysAgo(LIMITS.idempotencyDays)),
      () => dropTombstones(db, daysAgo(LIMITS.tombstoneDays)),
      () => beginDueReviews(db, now),
      () => decideByPolicy(db, now),
      () => advanceReviews(db, clock, stopping.signal),
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
      await run();
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
