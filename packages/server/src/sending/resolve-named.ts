import assert from 'node:assert';
import { isWalked, type StoredAudience } from '../domain/audience.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import { installationsById, installationsOfUsers, type Candidate } from '../store/audience.ts';
import type { Queryable } from '../store/sql.ts';

/**
 * The installations that an audience of named users or installations comes to at this moment; a
 * user whom nobody knows, or who is signed in nowhere, adds none.
 */
export async function resolveNamed(
  db: Queryable,
  appRef: number,
  audience: StoredAudience,
  purpose: PurposeTarget | null,
): Promise<readonly Candidate[]> {
  if ('users' in audience) return installationsOfUsers(db, appRef, audience.users, purpose);
  assert('installations' in audience && !isWalked(audience), 'every other audience is walked');
  return installationsById(db, appRef, audience.installations, purpose);
}
