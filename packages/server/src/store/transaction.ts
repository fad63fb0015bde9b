import postgres from 'postgres';
import type { Database, Transaction } from './sql.ts';

/** PostgreSQL took the other side of a deadlock or of a serialisation conflict; running again helps. */
const RETRYABLE_CODES = new Set(['40001', '40P01']);
const ATTEMPTS = 3;

/**
 * Runs `work` in one transaction and returns what it returns once that is committed. Repeats it after a
 * deadlock, so `work` must have no effect outside the transaction.
 */
export async function inTransaction<T>(
  db: Database,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await db.begin(work)) as T;
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
    }
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof postgres.PostgresError && RETRYABLE_CODES.has(error.code);
}
