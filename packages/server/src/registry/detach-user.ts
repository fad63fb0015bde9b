import type { Installation } from '../domain/installation.ts';
import { orderOf } from '../domain/ordering.ts';
import { NO_USER_HASH, signOutChanges } from '../domain/sign-out.ts';
import { writeChanges } from '../store/change-set.ts';
import { lockInstallation } from '../store/installations.ts';
import type { Database } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditRecord } from './audit-write.ts';
import { stampOf, type RegistryContext } from './caller.ts';

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
    const { app, caller, now: at } = context;
    const installation = await lockInstallation(tx, app.ref, installationId);
    const refusal = refuseAccess(installation, caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const { links, marks, ref } = installation;
    const mark = marks.user;
    if (!isStillSo(installation, logout.only)) return { kind: 'detached', seq: mark.seq };
    const order = orderOf(mark, logout.seq, NO_USER_HASH);
    if (order === 'superseded' || order === 'replay') return { kind: 'detached', seq: mark.seq };
    // Never refused as forked: a login and a logout under one number is a client's mistake, and
    // signing out is its safe reading. The mark stays that of the login.
    const seq = order === 'forked' ? null : logout.seq;
    const changes = signOutChanges(installation, links, { endedBy: 'logout', seq, at });
    const audit = auditRecord(context, {
      action: 'installation.logout',
      subject: `installation/${ref}`,
      before: { users: links.map(({ userRef }) => userRef) },
      after: { users: [] },
    });
    await writeChanges(tx, app.ref, [{ changes, stamp: stampOf(context), audit }]);
    return { kind: 'detached', seq: seq ?? mark.seq };
  });
}

function isStillSo({ links, token }: Installation, only: LogoutCondition | null): boolean {
  if (only === null) return true;
  if (token === null || !only.addressKeys.some((key) => key.equals(token.key))) return false;
  return only.userId === null || links.some(({ userId }) => userId === only.userId);
}
