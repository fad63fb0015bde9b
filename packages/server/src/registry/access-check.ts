import { timingSafeEqual } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import type { Caller } from './caller.ts';

/** Why a caller may not touch an installation. */
export type AccessRefusal = 'wrong_secret' | 'not_found' | 'user_mismatch' | 'removed';

/**
 * Whether a caller may act on an installation; null means yes. An unknown id and a wrong secret
 * look the same to a client, so that ids cannot be probed. The simple routes never reach an
 * installation that has a secret. Callers who come too often are turned away by their `admit`: an
 * installation by itself, and those who have not its secret by where they come from.
 */
export function refuseAccess(
  installation: Installation | null,
  caller: Caller,
): AccessRefusal | null {
  const refusal = refusalOf(installation, caller);
  if (caller.kind !== 'back_end') {
    caller.admit(refusal === null || refusal === 'removed' ? 'known' : 'stranger');
  }
  return refusal;
}

function refusalOf(installation: Installation | null, caller: Caller): AccessRefusal | null {
  if (caller.kind === 'client') {
    if (installation === null || !hasSecret(installation, caller.secretHash)) return 'wrong_secret';
  } else if (installation === null) {
    return 'not_found';
  } else if (caller.kind === 'simple' && installation.secretHash !== null) {
    return 'not_found';
  }
  return installation.removedAt === null ? null : 'removed';
}

/** Whether a caller shows a secret that is not the one which the installation has. */
export function hasOtherSecret(installation: Installation, caller: Caller): boolean {
  const isSecret = caller.kind === 'client' && installation.secretHash !== null;
  return isSecret && !hasSecret(installation, caller.secretHash);
}

function hasSecret(installation: Installation, secretHash: Buffer): boolean {
  const known = installation.secretHash;
  return known !== null && timingSafeEqual(known, secretHash);
}
