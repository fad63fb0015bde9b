import postgres from 'postgres';
import { LIMITS } from '../domain/limits.ts';
import { flight, isConnectionLost, type Database, type Transaction } from './sql.ts';

/**
 * A serialisation conflict, the losing side of a deadlock, and a unique index that had the last
 * word in a race: run again, the transaction sees what the winner wrote.
 */
const RETRYABLE_CODES = new Set(['40001', '40P01', '23505']);
const ATTEMPTS = 5;

export interface TransactionOptions {
  /** How often it is tried at most, when races are lost. */
  readonly attempts?: number;
  /** No lock is waited for longer; unbounded when left out. Error 55P03 then. */
  readonly lockTimeoutMs?: number;
}

/**
 * Runs `work` in one transaction and returns what it returns once that is committed. Repeats it
 * after a lost race, so `work` must have no effect outside the transaction.
 */
export async function inTransaction<T>(
  db: Database,
  work: (tx: Transaction) => Promise<T>,
  { attempts = ATTEMPTS, lockTimeoutMs }: TransactionOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await beginOnce(db, (tx) => bounded(tx, lockTimeoutMs, work));
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error;
    }
  }
}

/**
 * The same for a request about one installation, or one notification. Whoever holds that for long,
 * or keeps its users out, must not make such requests take all connections, so that they fail with
 * 55P03 after a second.
 */
export function inRequestTransaction<T>(
  db: Database,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return inTransaction(db, work, { lockTimeoutMs: LIMITS.requestLockTimeoutMs });
}

/**
 * Sets the bounds by a statement that goes out with the first of `work`. A process that is frozen
 * with locks in its hands says nothing, and PostgreSQL ends its transaction for that. The bounds
 * are those of the transaction: poolers refuse unknown parameters of a connection, and lend one
 * connection to many.
 *
 * Nor is a table scanned that has an index for what is asked. A queue is empty most of the time,
 * and what is planned then, the checks of foreign keys among it, scans it, and goes on so when
 * there are thousands of rows, and each insert reads them all. Of 500
 * single sends a second beside a campaign 99 of 100 were at the provider within 1.1 s with scans,
 * and within 0.2 s without, while the campaign went at twice the rate. Before PostgreSQL 18 a scan
 * that nothing can replace looks so dear then that it would be compiled.
 */
async function bounded<T>(
  tx: Transaction,
  lockTimeoutMs: number | undefined,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const lockTimeout =
    lockTimeoutMs === undefined
      ? tx``
      : tx`, set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`;
  const silenceMs = String(LIMITS.transactionSilenceMs);
  const [, result] = await flight([
    tx`
      select set_config('idle_in_transaction_session_timeout', ${silenceMs}, true),
        set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)
        ${lockTimeout}`.execute(),
    work(tx),
  ]);
  return result;
}

/** For what looks at most of a table, which is better read as it lies. */
export async function allowScans(tx: Transaction): Promise<void> {
  await tx`select set_config('enable_seqscan', 'on', true)`;
}

/** Runs work in a transaction, as `inTransaction` does, or in one that it shares. */
export type RunTransaction = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;

/** What became of the connection that a transaction began on. */
interface Fate {
  /** Why it is gone; null while it is there, as far as anybody knows. */
  loss: Error | null;
}

/**
 * What fails for want of the connection is not left to the driver, which would send a `rollback`
 * into the connection that is gone: an exception that nothing can catch, or a connection that waits
 * forever for an answer. Without a word from its client the server rolls back by itself.
 *
 * Nor does `work` send anything once the connection is lost, which it may not have noticed while it
 * waited for something else: the driver would connect anew and run the rest of the transaction
 * there, each statement by itself.
 */
async function beginOnce<T>(db: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const fate: Fate = { loss: null };
  const lost = Promise.withResolvers<never>();
  const begun = db.begin(async (tx) => {
    try {
      const result = await work(whileConnected(tx, fate));
      if (fate.loss === null) return result;
    } catch (error) {
      if (fate.loss === null && !isConnectionLost(error)) throw error;
      lost.reject(error);
    }
    // The driver ends its part when it learns that the connection is closed.
    return new Promise<never>(() => {});
  });
  begun.catch((error: Error) => (fate.loss = error));
  return (await Promise.race([begun, lost.promise])) as T;
}

/** The transaction, which throws whatever ended its connection when it is used after that. */
function whileConnected(tx: Transaction, fate: Fate): Transaction {
  const check = (): void => {
    if (fate.loss !== null) throw fate.loss;
  };
  return new Proxy(tx, {
    apply(target, self, parts) {
      check();
      return Reflect.apply(target, self, parts);
    },
    get(target, name) {
      check();
      return Reflect.get(target, name);
    },
  });
}

function isRetryable(error: unknown): boolean {
  return error instanceof postgres.PostgresError && RETRYABLE_CODES.has(error.code);
}
