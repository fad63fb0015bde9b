import { createHash } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { orderOf } from '../domain/ordering.ts';
import { appendEvents } from '../store/events.ts';
import { lockInstallations, updateInstallation } from '../store/installations.ts';
import { closeLink, type LinkEnd } from '../store/links.ts';
import { json, type Database, type Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
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
  seq: number | null,
): Promise<DetachResult> {
  return inTransaction(db, async (tx) => {
    const { installation } = await lockInstallations(tx, context.app.ref, installationId, null);
    const refusal = refuseAccess(installation, context.caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const mark = installation.marks.user;
    // A logout is never refused as forked: two copies that both sign out agree.
    if (orderOf(mark, seq, NO_USER_HASH) === 'newer') {
      await signOut(tx, context, installation, 'logout', seq);
      return { kind: 'detached', seq: seq ?? mark.seq };
    }
    return { kind: 'detached', seq: mark.seq };
  });
}

/** Ends the link of a locked installation and records why; does nothing to one without a link. */
export async function signOut(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  endedBy: Exclude<LinkEnd, 'switched'>,
  seq: number | null,
): Promise<void> {
  const { app, caller, requestId, now } = context;
  const mark = seq === null ? {} : { user_seq: seq, user_hash: NO_USER_HASH };
  // Proofs from before a back end's word must not undo it; a client's own order is its sequence.
  const serverWrite = caller.kind === 'client' ? {} : { server_write_at: now };
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
    ...serverWrite,
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
