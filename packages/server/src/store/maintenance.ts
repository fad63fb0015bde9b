import type { Database, Queryable } from './sql.ts';
import { inTransaction } from './transaction.ts';

const DAYS_AHEAD = 3;
const MONTHS_AHEAD = 2;
const OUTBOX_DAYS = 3;
/** Any constant that no other lock uses: one process makes partitions at a time. */
const LOCK = 7_467_002;

/**
 * Makes the partitions of the coming days and months; those that exist are left alone. Rows that
 * come before their partition fall into the default one, so a late run loses nothing.
 */
export async function createPartitions(db: Database, now: Date): Promise<void> {
  const wanted = wantedPartitions(now);
  const [row] = await db<{ missing: string[] }[]>`
    select coalesce(array_agg(name), '{}') as missing
    from unnest(${wanted.map(({ name }) => name)}::text[]) as name where to_regclass(name) is null`;
  const missing = wanted.filter(({ name }) => row?.missing.includes(name));
  for (const partition of missing) await createPartition(db, partition);
}

/**
 * Makes one partition. Rows of its range that came before it, from a process whose clock is ahead,
 * stand in the default partition; they move over in the same transaction.
 */
async function createPartition(db: Database, partition: Partition): Promise<void> {
  const { name, table, column, from, to } = partition;
  // Names and bounds are our own: the tables of the list below and ISO dates.
  await inTransaction(db, async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    // Not to_regclass: its cache may still say what was true before we waited for the lock.
    const known = await tx`select 1 from pg_class where relname = ${name}`;
    if (known.length > 0) return;
    await tx.unsafe(`
      create table ${name} (like ${table} including defaults including constraints);
      with moved as (
        delete from ${table}_default where ${column} >= '${from}' and ${column} < '${to}' returning *
      ) insert into ${name} select * from moved;
      alter table ${table} attach partition ${name} for values from ('${from}') to ('${to}')`);
  });
}

interface Partition {
  readonly name: string;
  readonly table: string;
  /** What the table is partitioned by. */
  readonly column: string;
  readonly from: string;
  readonly to: string;
}

function wantedPartitions(now: Date): readonly Partition[] {
  const partitions: Partition[] = [];
  const add = (table: string, column: string, from: string, to: string): void => {
    partitions.push({ name: `${table}_${from.replaceAll('-', '')}`, table, column, from, to });
  };
  for (let ahead = 0; ahead <= DAYS_AHEAD; ahead += 1) {
    const from = isoDay(addDays(now, ahead));
    const to = isoDay(addDays(now, ahead + 1));
    add('delivery', 'day', from, to);
    add('receipt', 'day', from, to);
  }
  for (let ahead = 0; ahead <= MONTHS_AHEAD; ahead += 1) {
    add('event', 'at', isoDay(firstOfMonth(now, ahead)), isoDay(firstOfMonth(now, ahead + 1)));
  }
  return partitions;
}

/** Forgets what was kept for a time only. */
export async function dropExpiredRows(db: Queryable, now: Date): Promise<void> {
  await db`delete from outbox where at < ${addDays(now, -OUTBOX_DAYS)}`;
  await db`delete from user_tombstone where not_before < ${addDays(now, -1)}`;
}

function addDays(date: Date, days: number): Date {
  return new Date(date.getTime() + days * 86_400_000);
}

function firstOfMonth(date: Date, monthsAhead: number): Date {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + monthsAhead, 1));
}

function isoDay(date: Date): string {
  return date.toISOString().slice(0, 10);
}
