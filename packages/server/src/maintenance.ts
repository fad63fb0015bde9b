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
    await createPartitions(db, now);
    await dropExpiredRows(db, now);
    await dropIdempotencyKeys(db, new Date(now.getTime() - LIMITS.idempotencyDays * DAY_MS));
    await dropTombstones(db, new Date(now.getTime() - LIMITS.tombstoneDays * DAY_MS));
  };
  return {
    async start() {
      running = run().catch(onError);
      await running;
      timer = setInterval(() => {
        running = run().catch(onError);
      }, HOUR_MS).unref();
    },
    async [Symbol.asyncDispose]() {
      if (timer !== null) clearInterval(timer);
      await running;
    },
  };
}
