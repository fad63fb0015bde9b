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
}

/** Partitions ahead of time, and retention. A failure is reported and tried again an hour later. */
export function createMaintenance(
  db: Database,
  clock: Clock,
  onError: (error: unknown) => void,
): Maintenance {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    const now = clock();
    const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
    const chores = [
      () => createPartitions(db, now),
      () => dropExpiredRows(db, now),
      () => dropIdempotencyKeys(db, daysAgo(LIMITS.idempotencyDays)),
      () => dropTombstones(db, daysAgo(LIMITS.tombstoneDays)),
    ];
    // One chore that fails, hour after hour, must not keep the others from being done.
    for (const chore of chores) await chore().catch(onError);
  };
  return {
    async start() {
      running = run();
      await running;
      timer = setInterval(() => {
        running = run();
      }, HOUR_MS).unref();
    },
    async [Symbol.asyncDispose]() {
      if (timer !== null) clearInterval(timer);
      await running;
    },
  };
}
