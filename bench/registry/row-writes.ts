import type { Database } from '../../packages/server/src/store/sql.ts';

/**
 * Rows that were inserted, updated or deleted so far, by table. Sessions report what they wrote
 * when they end, so ask after the server has stopped. Left out is the day on which a key was last
 * used, which is noted once a day whatever the request.
 */
export async function rowWrites(db: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await db<{ readonly name: string; readonly written: number }[]>`
    select relname as name, n_tup_ins + n_tup_upd + n_tup_del as written
    from pg_stat_user_tables
    where relname <> 'api_key'
  `;
  return new Map(rows.map(({ name, written }) => [name, written]));
}

/** What was written between two looks: only tables where anything was. */
export function writesBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const entries = [...after].map(
    ([name, written]) => [name, written - (before.get(name) ?? 0)] as const,
  );
  return Object.fromEntries(entries.filter(([, written]) => written !== 0));
}
