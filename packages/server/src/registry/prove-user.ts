import { createHmac } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { wholeSeconds, type NamedUser, type Proof } from '../domain/registration.ts';
import { installationOfProof } from '../store/links.ts';
import type { Transaction } from '../store/sql.ts';
import { ensureUser, erasedUntil, findUser, lockUserSessions } from '../store/users.ts';
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
  | { readonly kind: 'contradicted'; readonly why: string };

/**
 * Weighs a verified proof against what only the registry knows: whether it was used before, and
 * whether something happened since it was issued that it cannot know of. Makes the user known when
 * it stands.
 */
export async function proveUser(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  claim: UserClaim,
  macKey: Buffer,
): Promise<NamedUser> {
  const { app } = context;
  if (claim.proof.kind === 'contradicted') {
    // Rule R6: neither of the two is vouched for, so that whoever is linked has to go.
    return { userRef: null, proof: { kind: 'refused', why: claim.proof.why } };
  }
  const linked = await findUser(tx, app.ref, claim.id);
  if (linked !== null && installation.link?.userRef === linked.ref) {
    return { userRef: linked.ref, proof: toProof(claim.proof) };
  }
  // From here on no revocation or erasure can come between the checks and the new link.
  await lockUserSessions(tx, app.ref, claim.id, 'shared');
  const known = await findUser(tx, app.ref, claim.id);
  const refuse = (why: string): NamedUser => ({
    userRef: known?.ref ?? null,
    proof: { kind: 'refused', why },
  });
  if (claim.proof.kind === 'refused') return refuse(claim.proof.why);
  if (claim.proof.kind === 'proven') {
    const { issuedAt, proofId } = claim.proof;
    // Asked also of a user who is known: the person may have signed up again since.
    const erasedAt = await erasedUntil(tx, app.ref, idMac(macKey, claim.id));
    const why =
      refuseByAge(issuedAt, known?.notBefore ?? null, installation.serverWriteAt) ??
      refuseByAge(issuedAt, erasedAt, null) ??
      (await refuseByUse(tx, context, installation, proofId));
    if (why !== null) return refuse(why);
  }
  const user = await ensureUser(tx, app.ref, claim.id);
  return { userRef: user.ref, proof: toProof(claim.proof) };
}

/** The keyed digest under which an erased user id is remembered. */
export function idMac(macKey: Buffer, userId: string): Buffer {
  return createHmac('sha256', macKey).update(userId).digest();
}

function toProof(claimed: Exclude<ClaimedProof, { readonly kind: 'contradicted' }>): Proof {
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
