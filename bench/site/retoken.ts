import assert from 'node:assert/strict';
import { tokenOf, TOPIC } from './population.ts';
import type { Database } from '../../packages/server/src/store/sql.ts';

/** The APNs token of an installation that is one of a special kind, told by how it begins. */
export function specialToken(number: number, prefix: string): string {
  const token = tokenOf(number, 1);
  assert(token.provider === 'apns', `installation ${number} is none of APNs`);
  return prefix + token.value.slice(prefix.length);
}

/**
 * Gives installations that APNs reaches a token that begins otherwise, so that a neutral server
 * treats them otherwise. What they would report as theirs is another one, so they cannot check in.
 */
export async function retoken(
  db: Database,
  appRef: number,
  numbers: readonly number[],
  prefix: string,
): Promise<void> {
  const rows = numbers.map((number) => ({ number, token: specialToken(number, prefix) }));
  const keyPrefix = Buffer.from(['apns', '', 'production', TOPIC, ''].join('\u0000'));
  await db`
    update installation set token = chosen.token,
      address_key = sha256(${keyPrefix}::bytea || convert_to(chosen.token, 'UTF8'))
    from jsonb_to_recordset(${db.json(rows)}) as chosen (number bigint, token text)
    where app_ref = ${appRef} and provider = 'apns'
      and installation.id = md5('installation-' || chosen.number)::uuid
  `;
}
