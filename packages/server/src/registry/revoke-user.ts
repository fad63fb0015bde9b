import type { LinkEnd } from '../domain/change-set.ts';
import { signOutChanges } from '../domain/sign-out.ts';
import { findInstallationRefs } from '../store/audience.ts';
import { writeChanges, type RegistryWrite } from '../store/change-set.ts';
import { installationsOfUser, lockInstallationRefs } from '../store/installations.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import {
  ensureUser,
  eraseUser,
  findUser,
  lockUserSessions,
  refuseAssertionsBefore,
} from '../store/users.ts';
import { auditWrite } from './audit-write.ts';
import { stampOf, type RegistryContext } from './caller.ts';
import { idMac } from './prove-user.ts';

/**
 * Signs a user out, everywhere or on the named installations, and returns how many links ended.
 * Acts at once on the queue, since every push is checked against the link before it is written
 * (rule R7). No assertion that was issued up to this second signs in any more: everywhere none of
 * the user's, by name none for these installations, whether the user was signed in there or not.
 */
export async function revokeUser(
  tx: Transaction,
  context: RegistryContext,
  userId: string,
  installationIds: readonly string[] | null,
): Promise<number> {
  const { app, now } = context;
  await lockUserSessions(tx, app.ref, userId);
  // A user who is revoked before the first login must not come in with an assertion from before.
  const user = await ensureUser(tx, app.ref, userId);
  if (installationIds === null) await refuseAssertionsBefore(tx, user.ref, now);
  const refs =
    installationIds === null
      ? await linkedRefs(tx, app.ref, user.ref)
      : await findInstallationRefs(tx, app.ref, installationIds);
  const signedOut = await signOutWhere(tx, context, user.ref, 'revoked', refs);
  await auditWrite(tx, context, {
    action: 'user.revoke',
    subject: `user/${user.ref}`,
    before: null,
    after: { signed_out: signedOut, named: installationIds === null ? null : refs },
  });
  return signedOut;
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
  const { app, now } = context;
  return inTransaction(db, async (tx) => {
    await lockUserSessions(tx, app.ref, userId);
    const user = await findUser(tx, app.ref, userId);
    const record = user ?? (await ensureUser(tx, app.ref, userId));
    const refs = await linkedRefs(tx, app.ref, record.ref);
    const signedOut = await signOutWhere(tx, context, record.ref, 'deleted', refs);
    await eraseUser(tx, app.ref, record, idMac(macKey, userId), now);
    await auditWrite(tx, context, {
      action: 'user.erase',
      subject: `user/${record.ref}`,
      before: { known: user !== null },
      after: { signed_out: signedOut },
    });
    return user !== null;
  });
}

/** Ends the user's links on some installations; the others only refuse assertions from before. */
async function signOutWhere(
  tx: Transaction,
  context: RegistryContext,
  userRef: number,
  endedBy: Extract<LinkEnd, 'revoked' | 'deleted'>,
  refs: readonly number[],
): Promise<number> {
  const writes: RegistryWrite[] = [];
  for (const installation of await lockInstallationRefs(tx, refs)) {
    const ended = installation.links.filter((link) => link.userRef === userRef);
    const changes = signOutChanges(installation, ended, { endedBy, mark: null, at: context.now });
    writes.push({ changes, stamp: stampOf(context), audit: null, held: installation });
  }
  await writeChanges(tx, context.app.ref, writes);
  return writes.flatMap(({ changes }) => changes.endedLinks).length;
}

async function linkedRefs(
  tx: Transaction,
  appRef: number,
  userRef: number,
): Promise<readonly number[]> {
  const linked = await installationsOfUser(tx, appRef, userRef);
  return linked.map(({ ref }) => ref);
}
