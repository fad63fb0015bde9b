import { createHmac } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { wholeSeconds, type NamedUser, type Proof } from '../domain/registration.ts';
import type { RegistryContext } from './caller.ts';
import type { SyncFacts } from './sync-facts.ts';

/** The user that a packet names and what came with the name; verified outside the transaction. */
export interface UserClaim {
  readonly id: string;
  readonly proof: ClaimedProof;
}

export type ClaimedProof =
  | { readonly kind: 'proven'; readonly issuedAt: Date; readonly proofId: string }
  | { readonly kind: 'trusted' }
  | { readonly kind: 'refused'; readonly why: string }
  /** Good once, and too old now. */
  | { readonly kind: 'expired'; readonly why: string; readonly proofId: string }
  /** A bare HMAC of the user id: made at any time since the secret exists, on any device. */
  | { readonly kind: 'static'; readonly since: Date }
  /** Nobody can tell at the moment; whoever is linked has to go as with a refused proof. */
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number }
  /** It speaks for another user than the packet, so nobody can tell who is at the device. */
  | { readonly kind: 'contradicted'; readonly why: string }
  /** It speaks for the user, and the packet says that the user has left. */
  | { readonly kind: 'leaving' };

/** What only the registry knows of users and of their proofs. */
export type ProofFacts = Pick<SyncFacts, 'users' | 'erasures' | 'usedProofs'>;

/**
 * Weighs a verified proof against what only the registry knows: whether it was used before, and
 * whether something happened since it was issued that it cannot know of. Null when the packet says
 * that its user has left. The caller holds the lock on the user's logins, so that no revocation or
 * erasure can come between these checks and the new link.
 */
export function proveUser(
  { caller }: RegistryContext,
  installation: Installation,
  claim: UserClaim,
  facts: ProofFacts,
): NamedUser | null {
  const { id, proof } = claim;
  // Rule R6: nobody is vouched for, so that whoever is linked has to go.
  if (proof.kind === 'contradicted') return refused(id, null, proof.why);
  const isLinked = installation.links.some(({ userId }) => userId === id);
  if (proof.kind === 'leaving') {
    const isNobody = installation.links.length === 0;
    return isNobody || isLinked ? null : refused(id, null, 'another user is signed in here');
  }
  const known = facts.users.get(id) ?? null;
  const userRef = known?.ref ?? null;
  const usedBy = 'proofId' in proof ? (facts.usedProofs.get(proof.proofId) ?? null) : null;
  const isRepeated = usedBy === installation.ref;
  if (proof.kind === 'expired' && !isLinked) {
    return { id, userRef, proof: { kind: 'refused', why: proof.why, isRepeated } };
  }
  if (isLinked || (proof.kind !== 'proven' && proof.kind !== 'static')) {
    return { id, userRef, proof: toProof(proof) };
  }
  // The simple routes pin a proof to the first device that used it and let that device repeat it.
  const isUsed = usedBy !== null && !(caller.kind === 'simple' && isRepeated);
  const issuedAt = proof.kind === 'proven' ? proof.issuedAt : proof.since;
  const why =
    (isUsed ? 'the assertion was used before; ask the back end for a fresh one' : null) ??
    (proof.kind === 'static' ? refuseAdoption(installation) : null) ??
    refuseByAge(issuedAt, known?.notBefore ?? null, installation.serverWriteAt) ??
    // Asked also of a user who is known: the person may have signed up again since.
    refuseByAge(issuedAt, facts.erasures.get(id) ?? null, null);
  if (why === null) return { id, userRef, proof: toProof(proof) };
  return { id, userRef, proof: { kind: 'refused', why, isRepeated: isUsed && isRepeated } };
}

function refused(id: string, userRef: number | null, why: string): NamedUser {
  return { id, userRef, proof: { kind: 'refused', why, isRepeated: false } };
}

/** The keyed digest under which an erased user id is remembered. */
export function idMac(macKey: Buffer, userId: string): Buffer {
  return createHmac('sha256', macKey).update(userId).digest();
}

function toProof(
  claimed: Exclude<ClaimedProof, { readonly kind: 'contradicted' | 'leaving' }>,
): Proof {
  switch (claimed.kind) {
    case 'proven':
      return { kind: 'proven', issuedAt: claimed.issuedAt, jti: claimed.proofId };
    case 'static':
      // It signs in, and nothing more: without a time it is newer than nothing.
      return { kind: 'trusted' };
    case 'trusted':
      return claimed;
    case 'refused':
    case 'expired':
      return { kind: 'refused', why: claimed.why, isRepeated: false };
    case 'unavailable': {
      const why = 'the keys that verify assertions cannot be had';
      return { kind: 'refused', why, isRepeated: false };
    }
  }
}

function refuseByAge(
  issuedAt: Date,
  notBefore: Date | null,
  serverWriteAt: Date | null,
): string | null {
  const issued = wholeSeconds(issuedAt);
  if (notBefore !== null && issued <= wholeSeconds(notBefore)) {
    return 'the assertion was issued before the user was signed out everywhere';
  }
  if (serverWriteAt !== null && issued <= wholeSeconds(serverWriteAt)) {
    return "the assertion was issued before the back end's last change of this installation";
  }
  return null;
}

/** An installation without a secret is claimed by a proof that names it; this one does not. */
function refuseAdoption({ secretHash }: Installation): string | null {
  return secretHash === null ? 'a static signature cannot claim this installation' : null;
}
