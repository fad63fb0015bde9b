import { createHash } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { orderOf } from '../domain/ordering.ts';
import { appendEvents } from '../store/events.ts';
import { lockInstallations, updateInstallation } from '../store/installations.ts';
import { closeLink, type LinkEnd } from '../store/links.ts';
import { json, type Database, type Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { findUser } from '../store/users.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

export type DetachResult =
  | {
      readonly kind: 'detached';
      /**
       * The sequence that the user group is at now; a client whose request came late goes on from
       * it.
       */
      readonly seq: number | null;
    }
  | { readonly kind: AccessRefusal };

/** What a logout is about; all of it is looked at under the lock. */
export interface Logout {
  /** Null where arrival order counts, and for a client that sends none. */
  readonly seq: number | null;
  /** Sign out only if this is still so; null signs out whoever is there. */
  readonly only: LogoutCondition | null;
}

export interface LogoutCondition {
  /** The customer's id of who has to be signed in; null for anybody. */
  readonly userId: string | null;
  /** The addresses of which the installation has to hold one. */
  readonly addressKeys: readonly Buffer[];
}

/**
 * What a packet `user: null` hashes to, so that a repeated logout is seen as a replay in both
 * forms.
 */
const NO_USER_HASH = createHash('sha256').update('null').digest();

/**
 * Signs out whoever is signed in (rule R5). Needs nothing but access to the installation, succeeds
 * when nobody is signed in, and leaves device, token and device tags as they are. A late logout is
 * answered like any other and changes nothing.
 */
export async function detachUser(
  db: Database,
  context: RegistryContext,
  installationId: string,
  logout: Logout,
): Promise<DetachResult> {
  return inTransaction(db, async (tx) => {
    const { installation } = await lockInstallations(tx, context.app.ref, installationId, null);
    const refusal = refuseAccess(installation, context.caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const mark = installation.marks.user;
    if (!(await isStillSo(tx, context, installation, logout.only))) {
      return { kind: 'detached', seq: mark.seq };
    }
    const order = orderOf(mark, logout.seq, NO_USER_HASH);
    if (order === 'superseded' || order === 'replay') return { kind: 'detached', seq: mark.seq };
    // Never refused as forked: a login and a logout under one number is a client's mistake, and
    // signing out is its safe reading. The mark stays that of the login.
    const seq = order === 'forked' ? null : logout.seq;
    await signOut(tx, context, installation, 'logout', seq);
    await auditWrite(tx, context, {
      action: 'installation.logout',
      subject: `installation/${installation.ref}`,
      before: { user: installation.link?.userRef ?? null },
      after: { user: null },
    });
    return { kind: 'detached', seq: seq ?? mark.seq };
  });
}

async function isStillSo(
  tx: Transaction,
  { app }: RegistryContext,
  { link, token }: Installation,
  only: LogoutCondition | null,
): Promise<boolean> {
  if (only === null) return true;
  if (token === null || !only.addressKeys.some((key) => key.equals(token.key))) return false;
  if (only.userId === null) return true;
  const user = await findUser(tx, app.ref, only.userId);
  return user !== null && link?.userRef === user.ref;
}

/**
 * Ends the link of a locked installation and records why; does nothing to one without a link. A
 * sequence orders what the client says later. Without one, time does: no assertion from before may
 * sign in again.
 */
export async function signOut(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  endedBy: Exclude<LinkEnd, 'switched'>,
  seq: number | null,
): Promise<void> {
  const { app, caller, requestId, now } = context;
  const mark = seq === null ? { server_write_at: now } : { user_seq: seq, user_hash: NO_USER_HASH };
  const unlinked =
    installation.link === null
      ? {}
      : {
          user_ref: null,
          linked_at: null,
          rcpt: null,
          tags: json({}),
          holder_version: installation.holderVersion + 1,
        };
  if (installation.link !== null) await closeLink(tx, installation.ref, endedBy, now);
  await updateInstallation(tx, installation.ref, {
    ...mark,
    ...unlinked,
    updated_at: now,
  });
  if (installation.link === null) return;
  await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
    {
      installationRef: installation.ref,
      kind: 'user.detached',
      userRef: installation.link.userRef,
      seq,
      cause: endedBy,
    },
  ]);
}
