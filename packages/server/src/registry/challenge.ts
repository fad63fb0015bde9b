import type { Challenge, OpenChallenge } from '../domain/challenge.ts';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import type { TokenClaim } from '../domain/registration.ts';
import { issueTakeoverNonce } from './takeover-nonce.ts';

/** Who claims which token from whom; of a disputed token the holder itself. */
export interface Claim {
  readonly claimantId: string;
  readonly token: TokenClaim;
  readonly holder: Pick<Installation, 'ref' | 'holderVersion'>;
}

/** What a claimant is told. */
export interface Asked {
  /** What is to be sent; null while an earlier one is open, or too many are. */
  readonly challenge: Challenge | null;
  /** `waiting`: others claim the token, and its phone is asked for them at the moment. */
  readonly state: 'sent' | 'waiting';
  /** When the nonce ends, or the claim may be tried again. */
  readonly expiresAt: Date;
}

/** Has the phone that pushes to the token reach asked for an echo; bounded by `LIMITS`. */
export function askForEcho(
  nonceKey: Buffer,
  { claimantId, token, holder }: Claim,
  open: readonly OpenChallenge[],
  now: Date,
): Asked {
  const { ref: holderRef, holderVersion } = holder;
  const own = open.find(
    (one) => one.claimantId === claimantId && one.holderVersion === holderVersion,
  );
  if (own !== undefined) return { challenge: null, state: 'sent', expiresAt: own.expiresAt };
  const [soonest] = open;
  if (soonest !== undefined && open.length >= LIMITS.challengesPerToken) {
    return { challenge: null, state: 'waiting', expiresAt: soonest.expiresAt };
  }
  const { address, key } = token;
  const scope = { installationId: claimantId, addressKey: key, holderRef, holderVersion };
  const { nonce, expiresAt } = issueTakeoverNonce(nonceKey, { ...scope, by: 'token' }, now);
  const challenge = {
    claimantId,
    holderRef,
    holderVersion,
    address,
    key,
    nonce,
    at: now,
    expiresAt,
  };
  return { challenge, state: 'sent', expiresAt };
}
