import { listOf, type Queryable, type Transaction } from './sql.ts';

/**
 * Notes that providers took pushes for some installations on a day (`YYYY-MM-DD`). Reads a narrow
 * row for each and writes it once a day, in the order of the references, so that two settlements
 * wait for each other and never deadlock.
 *
 * As a column of `installation` it cost PostgreSQL 45 µs and 5.5 kB of journal for each push of the
 * day's first notification, because the pages of wide rows have no room for a second version and
 * all indexes followed; a row of its own costs 3-4 µs and 150 bytes, and 1-2 µs once it is noted.
 *
 * It is looked up by a subquery, which can only mean the index: for a join PostgreSQL may choose to
 * read the table, which is little work while it is new, and go on so while a million rows come.
 */
export async function recordAcceptances(
  tx: Transaction,
  installationRefs: readonly number[],
  day: string,
): Promise<void> {
  if (installationRefs.length === 0) return;
  await tx`
    insert into acceptance (installation_ref, accepted_on)
    select distinct ref, ${day}::date from unnest(${listOf(tx, 'bigint', installationRefs)}) as ref
    where ${day}::date > coalesce((
      select a.accepted_on from acceptance a where a.installation_ref = ref), '-infinity')
    order by ref
    on conflict (installation_ref) do update set accepted_on = excluded.accepted_on
    where acceptance.accepted_on < excluded.accepted_on`;
}

/** The days of the last acceptances of some installations, by reference; none for never. */
export async function lastAcceptances(
  db: Queryable,
  installationRefs: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (installationRefs.length === 0) return new Map();
  const rows = await db<{ installation_ref: number; accepted_on: string }[]>`
    select installation_ref, accepted_on from acceptance
    where installation_ref = any(${[...installationRefs]})`;
  return new Map(rows.map((row) => [row.installation_ref, row.accepted_on]));
}

/**
 * Those of some installations whose token a provider has taken a push for. Acceptances are known by
 * the day, so that a token which changed on the day of the last one may be credited with what its
 * predecessor did.
 */
export async function findProven(
  tx: Transaction,
  installationRefs: readonly number[],
): Promise<ReadonlySet<number>> {
  if (installationRefs.length === 0) return new Set();
  const rows = await tx<{ installation_ref: number }[]>`
    select a.installation_ref from acceptance a join installation i using (installation_ref)
    where a.installation_ref = any(${[...installationRefs]})
      and a.accepted_on >= (i.token_changed_at at time zone 'UTC')::date`;
  return new Set(rows.map((row) => row.installation_ref));
}
