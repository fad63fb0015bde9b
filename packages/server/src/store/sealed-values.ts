import type { Database } from './sql.ts';

/** A column that holds sealed values, and what those are bound to beside their app. */
export interface SealedColumn {
  readonly kind: 'credential' | 'provider_token' | 'identity_key';
  readonly table: string;
  readonly ref: string;
  readonly column: string;
  /** The column that names the row in the seal. */
  readonly row: string;
}

/** EVERYTHING THAT IS SEALED; a test compares it with the columns of the schema. */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    kind: 'credential',
    table: 'credential',
    ref: 'credential_ref',
    column: 'sealed_secret',
    row: 'id',
  },
  {
    kind: 'provider_token',
    table: 'credential',
    ref: 'credential_ref',
    column: 'sealed_provider_token',
    row: 'id',
  },
  {
    kind: 'identity_key',
    table: 'identity_key',
    ref: 'identity_key_ref',
    column: 'sealed_secret',
    row: 'key_id',
  },
];

export interface SealedValue {
  readonly ref: number;
  readonly appRef: number;
  readonly row: string;
  readonly sealed: Buffer;
}

/** How a value names its master key: so many bytes from there on, counted from 1. */
export interface SealMark {
  readonly from: number;
  readonly bytes: number;
  readonly keyId: Buffer;
}

/** Sealed values of a column in the order of their references, those of retired rows left out. */
export async function sealedValues(
  db: Database,
  { table, ref, column, row }: SealedColumn,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly SealedValue[]> {
  return db<SealedValue[]>`
    select ${db(ref)} as ref, app_ref as "appRef", ${db(row)}::text as row, ${db(column)} as sealed
    from ${db(table)}
    where ${db(ref)} > ${after} and length(${db(column)}) > 0
    order by ${db(ref)} limit ${limit}`;
}

/** The same, without those that carry the mark. */
export async function valuesSealedOtherwise(
  db: Database,
  { table, ref, column, row }: SealedColumn,
  { from, bytes, keyId }: SealMark,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly SealedValue[]> {
  return db<SealedValue[]>`
    select ${db(ref)} as ref, app_ref as "appRef", ${db(row)}::text as row, ${db(column)} as sealed
    from ${db(table)}
    where ${db(ref)} > ${after} and length(${db(column)}) > 0
      and substring(${db(column)} from ${from}::integer for ${bytes}::integer) <> ${keyId}
    order by ${db(ref)} limit ${limit}`;
}

/** How many values of a column do not carry the mark. */
export async function countSealedOtherwise(
  db: Database,
  { table, column }: SealedColumn,
  { from, bytes, keyId }: SealMark,
): Promise<number> {
  const [row] = await db<{ count: number }[]>`
    select count(*) as count from ${db(table)}
    where length(${db(column)}) > 0
      and substring(${db(column)} from ${from}::integer for ${bytes}::integer) <> ${keyId}`;
  return row?.count ?? 0;
}

/** Puts a value in the place of another one; false when that was replaced or dropped meanwhile. */
export async function replaceSealed(
  db: Database,
  { table, ref, column }: SealedColumn,
  { ref: at, sealed: before }: SealedValue,
  sealed: Buffer,
): Promise<boolean> {
  const rows = await db`
    update ${db(table)} set ${db(column)} = ${sealed}
    where ${db(ref)} = ${at} and ${db(column)} = ${before}
    returning 1`;
  return rows.length > 0;
}
