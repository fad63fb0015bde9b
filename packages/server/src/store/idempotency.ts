import { tryLock } from './advisory-lock.ts';
import { json, type Queryable, type Transaction } from './sql.ts';

export interface IdempotencyRecord {
  readonly status: number;
  readonly body: unknown;
  readonly bodyHash: Buffer;
}

/** False when another transaction holds the key at the moment. */
export async function tryIdempotencyLock(
  tx: Transaction,
  appRef: number,
  key: string,
): Promise<boolean> {
  return tryLock(tx, { purpose: 'idempotencyKey', name: `${appRef}/${key}` });
}

export async function findIdempotentAnswer(
  tx: Transaction,
  appRef: number,
  key: string,
): Promise<IdempotencyRecord | null> {
  const [row] = await tx<IdempotencyRecord[]>`
    select status, body, body_hash as "bodyHash" from idempotency
    where app_ref = ${appRef} and key = ${key}`;
  return row ?? null;
}

export async function insertIdempotentAnswer(
  tx: Transaction,
  appRef: number,
  key: string,
  record: IdempotencyRecord,
): Promise<void> {
  await tx`
    insert into idempotency (app_ref, key, body_hash, status, body)
    values (${appRef}, ${key}, ${record.bodyHash}, ${record.status}, ${json(record.body)})`;
}

/** Forgets some keys older than their promise; returns how many. */
export async function dropIdempotencyKeys(
  db: Queryable,
  olderThan: Date,
  limit: number,
): Promise<number> {
  const rows = await db`
    delete from idempotency where (app_ref, key) in (
      select app_ref, key from idempotency where created_at < ${olderThan} limit ${limit})
    returning key`;
  return rows.length;
}
