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
  /** The customer's own back end says so. */
  | { readonly kind: 'trusted' }
  /** A client says so, in an app that takes everybody at their word. */
  | { readonly kind: 'claimed' }
  | { readonly kind: 'refused'; readonly why: string }
  /** Good once, and too old now. */
  | {
      readonly kind: 'expired';
      readonly why: string;
      readonly issuedAt: Date;
      readonly proofId: string;
    }
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
 * whether something happened since it was issued that it cannot know of. What it is worth does not
 * depend on who is signed in: whether it is needed at all, the decision says. Null when the packet
 * says that its user has left. The caller holds the lock on the user's logins, so that no
 * revocation or erasure can come between these checks and the new link.
 */
export function proveUser(
  context: RegistryContext,
  installation: Installation,
  { id, proof }: UserClaim,
  facts: ProofFacts,
): NamedUser | null {
  // Rule R6: nobody is vouched for, so that whoever is linked has to go.
  if (proof.kind === 'contradicted') return { id, userRef: null, proof: refused(proof.why) };
  if (proof.kind === 'leaving') {
    const { links } = installation;
    const isAlone = links.length === 0 || links.some(({ userId }) => userId === id);
    const why = 'another user is signed in here';
    return isAlone ? null : { id, userRef: null, proof: refused(why) };
  }
  const userRef = facts.users.get(id)?.ref ?? null;
  return { id, userRef, proof: weigh(context, installation, { id, proof }, facts) };
}

/**
 * Whether a proof makes an installation without a secret that of the client which shows it. Only an
 * assertion does, which names the installation, was not used before, and is newer than the last
 * word of a back end; that the back end linked the same user says nothing of the client.
 */
export function isAdoption({ proof }: NamedUser): boolean {
  return proof.kind === 'proven';
}

function refused(why: string, isPast = false): Proof {
  return { kind: 'refused', why, isPast };
}

/** The keyed digest under which an erased user id is remembered. */
export function idMac(macKey: Buffer, userId: string): Buffer {
  return createHmac('sha256', macKey).update(userId).digest();
}

/** A claim that says who is there. */
interface LoginClaim {
  readonly id: string;
  readonly proof: Exclude<ClaimedProof, { readonly kind: 'contradicted' | 'leaving' }>;
}

function weigh(
  { caller }: RegistryContext,
  installation: Installation,
  { id, proof }: LoginClaim,
  facts: ProofFacts,
): Proof {
  const usedBy = 'proofId' in proof ? (facts.usedProofs.get(proof.proofId) ?? null) : null;
  const isRepeated = usedBy === installation.ref;
  switch (proof.kind) {
    case 'trusted':
    case 'claimed':
      return proof;
    case 'refused':
      return refused(proof.why);
    case 'expired':
      return refused(proof.why, isRepeated);
    case 'unavailable':
      return refused('the keys that verify assertions cannot be had');
    case 'static': {
      const why = refuseLogin(id, proof.since, installation, facts);
      // It signs in, and nothing more: without a time it is newer than nothing.
      return why === null ? { kind: 'claimed' } : refused(why);
    }
    case 'proven': {
      const { issuedAt, proofId } = proof;
      // The simple routes pin a proof to the first device that used it and let that one repeat it.
      if (usedBy !== null && !(caller.kind === 'simple' && isRepeated)) {
        const why = 'the assertion was used before; ask the back end for a fresh one';
        return refused(why, isRepeated);
      }
      if (caller.kind === 'simple' && isOutdated(id, issuedAt, installation)) {
        const why = 'somebody else signed in here since the assertion was issued';
        return refused(why, true);
      }
      const why = refuseLogin(id, issuedAt, installation, facts);
      const jti = usedBy === null ? proofId : null;
      return why === null ? { kind: 'proven', issuedAt, jti } : refused(why);
    }
  }
}

/**
 * Rule R4, where no sequence tells which of two logins is the later one: the assertion of whoever
 * is there is newer. Whole seconds; within one, arrival order counts.
 */
function isOutdated(id: string, issuedAt: Date, { links }: Installation): boolean {
  return links.some(
    ({ userId, assertedAt, linkedAt }) =>
      userId !== id && wholeSeconds(assertedAt ?? linkedAt) > wholeSeconds(issuedAt),
  );
}

/** What happened since a proof was made that it cannot know of; null when nothing did. */
function refuseLogin(
  id: string,
  issuedAt: Date,
  { serverWriteAt }: Installation,
  { users, erasures }: ProofFacts,
): string | null {
  return (
    refuseByAge(issuedAt, users.get(id)?.notBefore ?? null, serverWriteAt) ??
    // Asked also of a user who is known: the person may have signed up again since.
    refuseByAge(issuedAt, erasures.get(id) ?? null, null)
  );
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
