import postgres from 'postgres';
import type { Database, Transaction } from './sql.ts';

/**
 * A serialisation conflict, the losing side of a deadlock, and a unique index that had the last
 * word in a race: run again, the transaction sees what the winner wrote.
 */
const RETRYABLE_CODES = new Set(['40001', '40P01', '23505']);
const ATTEMPTS = 5;

/**
 * Runs `work` in one transaction and returns what it returns once that is committed. Repeats it
 * after a lost race, so `work` must have no effect outside the transaction.
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
