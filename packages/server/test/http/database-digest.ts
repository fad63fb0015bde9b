import type { Network } from '../../../../test/network.ts';
import { parseTypedId } from '../../src/domain/typed-id.ts';

/** A digest of every row of every table: equal digests mean that nothing at all was written. */
export async function digestDatabase(db: Network['homing']['db']): Promise<string> {
  const tables = await tableNames(db);
  const digests = await Promise.all(
    tables.map(async (table) => {
      const [row] = await db<{ digest: string }[]>`
        select count(*) || ':' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest
        from ${db(table)} t`;
      return `${table}=${row?.digest}`;
    }),
  );
  return digests.join('\n');
}

/** The same of the rows of one app, in every table that has apps. */
export async function digestApp(db: Network['homing']['db'], appId: string): Promise<string> {
  const uuid = parseTypedId('app', appId);
  const tables = await db<{ table_name: string }[]>`
    select table_name from information_schema.columns c join pg_class p on p.relname = c.table_name
    where column_name = 'app_ref' and table_schema = 'public' and not p.relispartition
    order by table_name`;
  const digests = await Promise.all(
    tables.map(async ({ table_name: table }) => {
      const [row] = await db<{ digest: string }[]>`
        select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as digest
        from ${db(table)} t where app_ref = (select app_ref from app where id = ${uuid})`;
      return `${table}=${row?.digest}`;
    }),
  );
  return digests.join('\n');
}

/** Every row of every table as text, to search for what must not be there. */
export async function dumpDatabase(db: Network['homing']['db']): Promise<string> {
  const tables = await tableNames(db);
  const dumps = await Promise.all(
    tables.map(async (table) => {
      const rows = await db<{ line: string }[]>`select t::text as line from ${db(table)} t`;
      return rows.map(({ line }) => `${table}: ${line}`);
    }),
  );
  return dumps.flat().join('\n');
}

/** Partitions are read through the table that they belong to. */
async function tableNames(db: Network['homing']['db']): Promise<readonly string[]> {
  const rows = await db<{ relname: string }[]>`
    select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    order by relname`;
  return rows.map(({ relname }) => relname);
}
