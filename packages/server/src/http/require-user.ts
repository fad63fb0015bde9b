import type { Queryable } from '../store/sql.ts';
import { findUser, type UserRecord } from '../store/users.ts';
import { notFound } from './api-error.ts';
import { requireUserId } from './parameters.ts';

/** The user that a path names; 404 for one that the app does not know, and for another app's. */
export async function requireUser(
  db: Queryable,
  appRef: number,
  path: { readonly user_id: string },
): Promise<UserRecord> {
  const user = await findUser(db, appRef, requireUserId(path.user_id, '/user_id'));
  if (user === null) throw notFound('user');
  return user;
}
