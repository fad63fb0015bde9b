import type { Database } from '../../packages/server/src/store/sql.ts';
import { DEAD_PREFIX } from '../neutral/nginx.ts';
import { retoken } from '../site/retoken.ts';

/** One in so many has a token that its provider calls dead; all of them are reached by APNs. */
const ONE_IN = 200;

export function deadAmong(rows: number): number {
  return Math.ceil(rows / ONE_IN);
}

/** Puts dead tokens into a registry. */
export async function buryTokens(db: Database, appRef: number, rows: number): Promise<void> {
  const numbers = Array.from({ length: deadAmong(rows) }, (_, index) => index * ONE_IN);
  await retoken(db, appRef, numbers, DEAD_PREFIX);
}

/** Undoes what a campaign found out about them, so that the next one finds the same registry. */
export async function forgetDeaths(db: Database): Promise<void> {
  await db`
    update installation
    set token_status = 'live', token_status_code = null, failures_in_a_row = 0
    where token_status <> 'live' and token like ${`${DEAD_PREFIX}%`}
  `;
}
