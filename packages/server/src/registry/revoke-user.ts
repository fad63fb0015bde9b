import type { App } from '../store/apps.ts';
import { installationsOfUser, lockInstallationRefs } from '../store/installations.ts';
import type { LinkEnd } from '../store/links.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import {
  ensureUser,
  eraseUser,
  findUser,
  lockUserSessions,
  refuseAssertionsBefore,
} from '../store/users.ts';
import type { RegistryContext } from './caller.ts';
import { signOut } from './detach-user.ts';
import { idMac } from './prove-user.ts';

/**
 * Signs a user out, everywhere or on the named installations, and returns how many links ended.
 * Acts at once on the queue, since every push is checked against the link before it is written
 * (rule R7). Everywhere also refuses every assertion that was issued up to this second.
 */
export async function revokeUser(
  tx: Transaction,
  context: RegistryContext,
  userId: string,
  installationIds: readonly string[] | null,
): Promise<number> {
  await lockUserSessions(tx, context.app.ref, userId, 'exclusive');
  // A user who is revoked before the first login must not come in with an assertion from before.
  const user = await ensureUser(tx, context.app.ref, userId);
  if (installationIds === null) await refuseAssertionsBefore(tx, user.ref, context.now);
  return signOutUser(tx, context, user.ref, 'revoked', installationIds);
}

/**
 * Erases a user: signed out everywhere, mapping and attributes gone, queued personal content
 * emptied. False when the app never knew the user; assertions from before are refused all the same.
 */
export async function eraseUserRecord(
  db: Database,
  context: RegistryContext,
  userId: string,
  macKey: Buffer,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await lockUserSessions(tx, context.app.ref, userId, 'exclusive');
    const user = await findUser(tx, context.app.ref, userId);
    const record = user ?? (await ensureUser(tx, context.app.ref, userId));
    await signOutUser(tx, context, record.ref, 'deleted', null);
    await eraseUser(tx, context.app.ref, record, idMac(macKey, userId), context.now);
    return user !== null;
  });
}

async function signOutUser(
  tx: Transaction,
  context: RegistryContext,
  userRef: number,
  endedBy: Extract<LinkEnd, 'revoked' | 'deleted'>,
  installationIds: readonly string[] | null,
): Promise<number> {
  const refs = await linkedRefs(tx, context.app, userRef, installationIds);
  const locked = await lockInstallationRefs(tx, refs);
  const linked = locked.filter((installation) => installation.link?.userRef === userRef);
  for (const installation of linked) {
    await signOut(tx, context, installation, endedBy, null);
  }
  return linked.length;
}

async function linkedRefs(
  tx: Transaction,
  app: App,
  userRef: number,
  installationIds: readonly string[] | null,
): Promise<readonly number[]> {
  const linked = await installationsOfUser(tx, app.ref, userRef);
  const named =
    installationIds === null ? linked : linked.filter(({ id }) => installationIds.includes(id));
  return named.map(({ ref }) => ref);
}
