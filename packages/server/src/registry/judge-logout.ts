import { hash } from 'node:crypto';
import type { ChangeSet } from '../domain/change-set.ts';
import type { Installation, OpenLink } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { orderOf } from '../domain/ordering.ts';
import { NO_USER_HASH, signOutChanges } from '../domain/sign-out.ts';
import type { RegistryWrite } from '../store/change-set.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditRecord } from './audit-write.ts';
import { stampOf, type RegistryContext } from './caller.ts';
import type { SyncFacts } from './sync-facts.ts';
import type { Logout, LogoutRequest } from './sync-request.ts';

export type LogoutVerdict =
  | { readonly kind: 'refused'; readonly refusal: AccessRefusal }
  | {
      readonly kind: 'signed_out';
      readonly installation: Installation;
      /** Null for a logout that comes late, is repeated, or is about what is not so any more. */
      readonly changes: ChangeSet | null;
      /** The sequence that the user group is at then. */
      readonly seq: number | null;
    };

/**
 * Judges a logout (rule R5). It needs nothing but access to the installation, succeeds when nobody
 * is signed in, and leaves device, token and device tags as they are. A late one is answered like
 * any other and changes nothing.
 */
export function judgeLogout(
  { context, logout }: LogoutRequest,
  facts: Pick<SyncFacts, 'installations'>,
): LogoutVerdict {
  const installation = facts.installations.get(logout.installationId) ?? null;
  const refusal = refuseAccess(installation, context.caller);
  if (refusal !== null || installation === null) {
    return { kind: 'refused', refusal: refusal ?? 'not_found' };
  }
  const { user: mark } = installation.marks;
  const leaving = whoLeaves(installation, logout);
  const content = contentHash(logout);
  const order = orderOf(mark, logout.seq, content);
  const isNews =
    order === 'superseded' ? concernsThem(installation, logout.seq, leaving) : order !== 'replay';
  if (leaving === null || !isNews) {
    return { kind: 'signed_out', installation, changes: null, seq: mark.seq };
  }
  // Never refused as forked: a login and a logout under one number is a client's mistake, and
  // signing out is its safe reading. It counts as one without a number.
  const own = order === 'forked' ? null : logout.seq;
  const seq = own ?? givenSequence(context, installation);
  const changes = signOutChanges(installation, leaving, {
    endedBy: 'logout',
    mark: seq === null ? null : { seq, hash: content },
    at: context.now,
  });
  const stands = changes.saved[0]?.marks.user.seq ?? mark.seq;
  return { kind: 'signed_out', installation, changes, seq: stands };
}

/**
 * The sequence that a logout without its own is given; null where time orders it, because proofs
 * tell when they were made, or where everybody is taken at their word. A static signature does not,
 * so that a login of before, which is still under way, would look like one of after. Beyond
 * whatever the client can have sent before there is room for both: what was sent is late, and what
 * goes on from the given sequence counts.
 */
function givenSequence(
  { app, caller }: RegistryContext,
  { marks, topicsSeq }: Installation,
): number | null {
  if (caller.kind !== 'client' || !app.staticSignatures) return null;
  const highest = Math.max(topicsSeq ?? 0, ...Object.values(marks).map(({ seq }) => seq ?? 0));
  return Math.min(highest + LIMITS.packetsUnderWay, LIMITS.sequence);
}

/** What a judged logout writes; null when it is nothing. */
export function logoutWrite(
  { context }: LogoutRequest,
  verdict: LogoutVerdict,
): RegistryWrite | null {
  if (verdict.kind === 'refused' || verdict.changes === null) return null;
  const { installation, changes } = verdict;
  const audit = auditRecord(context, {
    action: 'installation.logout',
    subject: `installation/${installation.ref}`,
    before: { users: refsOf(installation) },
    after: { users: changes.saved.flatMap(refsOf) },
  });
  return { changes, stamp: stampOf(context), audit, held: installation };
}

/** Whose links end; null when what the logout is about is not so any more. */
function whoLeaves(
  { links, token }: Installation,
  { userId, holding }: Logout,
): readonly OpenLink[] | null {
  const leaving = userId === null ? links : links.filter((link) => link.userId === userId);
  if (holding === null) return leaving;
  const isHeld = token !== null && holding.some((key) => key.equals(token.key));
  // With nobody there it is heard all the same: a login that was held up finds that it came.
  const isAbout = userId === null || leaving.length > 0 || links.length === 0;
  return isHeld && isAbout ? leaving : null;
}

/**
 * Whether a logout that came after one of somebody else still speaks of those who are there: the
 * other one said nothing of them, and the last packet that did is older.
 */
function concernsThem(
  { namedSeq }: Installation,
  seq: number | null,
  leaving: readonly OpenLink[] | null,
): boolean {
  const isAfterLogin = namedSeq !== null && seq !== null && seq > namedSeq;
  return isAfterLogin && leaving !== null && leaving.length > 0;
}

/** A repeated logout is seen as one also when it comes as a packet that names nobody. */
function contentHash({ userId }: Logout): Buffer {
  if (userId === null) return NO_USER_HASH;
  return hash('sha256', JSON.stringify({ left: userId }), 'buffer');
}

function refsOf({ links }: Installation): readonly number[] {
  return links.map(({ userRef }) => userRef);
}
