import postgres from 'postgres';
import type { Database } from './sql.ts';
import { inTransaction } from './transaction.ts';

const DAYS_AHEAD = 3;
const MONTHS_AHEAD = 2;
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

/** Drops the months of events that end before a moment; returns how many went. */
export async function dropEventMonths(db: Database, before: Date): Promise<number> {
  const months = await partitionsOf(db, 'event');
  const over = months.filter(({ start }) => firstOfMonth(start, 1) <= before);
  await db`delete from event_default where at < ${before}`;
  return dropTables(db, over);
}

/**
 * Drops the days of deliveries and receipts that end before a moment and of which no notification
 * is left; returns how many went.
 */
export async function dropDeliveryDays(db: Database, before: Date): Promise<number> {
  let dropped = 0;
  for (const table of ['delivery', 'receipt'] as const) {
    const days = await partitionsOf(db, table);
    const ended = days.filter(({ start }) => addDays(start, 1) <= before);
    const left = await db<{ day: string }[]>`
      select ended.day
      from unnest(${ended.map(({ start }) => isoDay(start))}::text[]::date[]) as ended (day)
      where exists (select 1 from notification n where n.day = ended.day)`;
    const waiting = new Set(left.map(({ day }) => day));
    dropped += await dropTables(
      db,
      ended.filter(({ start }) => !waiting.has(isoDay(start))),
    );
    await db`
      delete from ${db(`${table}_default`)} d
      where d.day < ${isoDay(before)}
        and not exists (select 1 from notification n where n.day = d.day)`;
  }
  return dropped;
}

interface ExistingPartition {
  readonly name: string;
  /** Where its range begins. */
  readonly start: Date;
}

/** All but the default one, by the day in their names. */
async function partitionsOf(
  db: Database,
  table: 'event' | 'delivery' | 'receipt',
): Promise<readonly ExistingPartition[]> {
  const rows = await db<{ name: string; day: string }[]>`
    select c.relname as name, to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_inherits join pg_class c on c.oid = inhrelid
    where inhparent = ${table}::regclass and c.relname ~ '_[0-9]{8}$'
    order by c.relname`;
  return rows.map(({ name, day }) => ({ name, start: new Date(`${day}T00:00:00Z`) }));
}

async function dropTables(db: Database, partitions: readonly ExistingPartition[]): Promise<number> {
  let dropped = 0;
  for (const { name } of partitions) dropped += (await dropTable(db, name)) ? 1 : 0;
  return dropped;
}

/** How long a drop waits for its lock, while whoever comes after it waits for the drop. */
const LOCK_TIMEOUT_MS = 250;
const LOCK_NOT_AVAILABLE = '55P03';

/** False when the table was in use for too long; the next hour is as good. */
async function dropTable(db: Database, name: string): Promise<boolean> {
  try {
    await inTransaction(db, async (tx) => {
      await tx.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await tx`drop table if exists ${tx(name)}`;
    });
    return true;
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
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
