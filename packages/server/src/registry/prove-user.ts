import { createHmac } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { wholeSeconds, type NamedUser, type Proof } from '../domain/registration.ts';
import { installationOfProof } from '../store/proofs.ts';
import type { Transaction } from '../store/sql.ts';
import { erasedUntil, findUser } from '../store/users.ts';
import type { RegistryContext } from './caller.ts';

/** The user that a packet names and what came with the name; verified outside the transaction. */
export interface UserClaim {
  readonly id: string;
  readonly proof: ClaimedProof;
}

export type ClaimedProof =
  | { readonly kind: 'proven'; readonly issuedAt: Date; readonly proofId: string }
  | { readonly kind: 'trusted' }
  | { readonly kind: 'refused'; readonly why: string }
  /** It speaks for another user than the packet, so nobody can tell who is at the device. */
  | { readonly kind: 'contradicted'; readonly why: string }
  /** It speaks for the user, and the packet says that the user has left. */
  | { readonly kind: 'leaving' };

/**
 * Weighs a verified proof against what only the registry knows: whether it was used before, and
 * whether something happened since it was issued that it cannot know of. Null when the packet names
 * nobody. The caller holds the user's session lock, so that no revocation or erasure can come
 * between these checks and the new link.
 */
export async function proveUser(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  claim: UserClaim,
  macKey: Buffer,
): Promise<NamedUser | null> {
  const { app } = context;
  const { proof } = claim;
  // Rule R6: nobody is vouched for, so that whoever is linked has to go.
  if (proof.kind === 'contradicted') return refused(null, proof.why);
  const known = await findUser(tx, app.ref, claim.id);
  const { link } = installation;
  const isLinked = link !== null && known?.ref === link.userRef;
  if (proof.kind === 'leaving') {
    return link === null || isLinked ? null : refused(null, 'another user is signed in here');
  }
  const userRef = known?.ref ?? null;
  if (isLinked || proof.kind !== 'proven') return { userRef, proof: toProof(proof) };
  // Asked also of a user who is known: the person may have signed up again since.
  const erasedAt = await erasedUntil(tx, app.ref, idMac(macKey, claim.id));
  const why =
    refuseByAge(proof.issuedAt, known?.notBefore ?? null, installation.serverWriteAt) ??
    refuseByAge(proof.issuedAt, erasedAt, null) ??
    (await refuseByUse(tx, context, installation, proof.proofId));
  return why === null ? { userRef, proof: toProof(proof) } : refused(userRef, why);
}

function refused(userRef: number | null, why: string): NamedUser {
  return { userRef, proof: { kind: 'refused', why } };
}

/** The keyed digest under which an erased user id is remembered. */
export function idMac(macKey: Buffer, userId: string): Buffer {
  return createHmac('sha256', macKey).update(userId).digest();
}

function toProof(
  claimed: Exclude<ClaimedProof, { readonly kind: 'contradicted' | 'leaving' }>,
): Proof {
  if (claimed.kind !== 'proven') return claimed;
  return { kind: 'proven', issuedAt: claimed.issuedAt, jti: claimed.proofId };
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

async function refuseByUse(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  proofId: string,
): Promise<string | null> {
  const usedBy = await installationOfProof(tx, context.app.ref, proofId);
  if (usedBy === null) return null;
  // The simple routes pin a proof to the first device that used it and let that device repeat it.
  if (context.caller.kind === 'simple' && usedBy === installation.ref) return null;
  return 'the assertion was used before; ask the back end for a fresh one';
}
