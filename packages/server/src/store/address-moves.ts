import type { AddressMove } from '../domain/change-set.ts';
import { arrayText } from './array-text.ts';
import { bytea, json, type Queryable, type Transaction } from './sql.ts';

/** Notes that addresses went from one installation to another. */
export async function recordMoves(
  tx: Transaction,
  appRef: number,
  moves: readonly AddressMove[],
): Promise<void> {
  if (moves.length === 0) return;
  const rows = moves.map(({ key, at }) => ({ key: bytea(key), at }));
  await tx`
    insert into address_move (app_ref, address_key, at)
    select ${appRef}, m.key, m.at
    from jsonb_to_recordset(${json(rows)}) as m (key bytea, at timestamptz)`.execute();
}

/** Lets the moves of some addresses count no more. */
export async function forgetMoves(
  tx: Transaction,
  appRef: number,
  addressKeys: readonly Buffer[],
): Promise<void> {
  if (addressKeys.length === 0) return;
  await tx`
    delete from address_move
    where app_ref = ${appRef} and address_key = any(${arrayText(addressKeys)}::text::bytea[])
  `.execute();
}

/** How often some addresses moved since then, by their keys in hex; none for never. */
export async function countMoves(
  db: Queryable,
  appRef: number,
  addressKeys: readonly Buffer[],
  since: Date,
): Promise<ReadonlyMap<string, number>> {
  if (addressKeys.length === 0) return new Map();
  const rows = await db<{ readonly key: Buffer; readonly moves: number }[]>`
    select address_key as key, count(*) as moves from address_move
    where app_ref = ${appRef} and at > ${since}
      and address_key = any(${arrayText(addressKeys)}::text::bytea[])
    group by address_key`.execute();
  return new Map(rows.map(({ key, moves }) => [key.toString('hex'), moves]));
}
