import { createHmac, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../domain/limits.ts';
import type { MacKeys } from '../domain/mac-keys.ts';

/** What a takeover nonce is good for; any change of the holder makes it worthless. */
export interface TakeoverScope {
  readonly installationId: string;
  readonly addressKey: Buffer;
  readonly holderRef: number;
  readonly holderVersion: number;
  /** How it gets to the claimant: in the refusal, or through the token. */
  readonly by: 'answer' | 'token';
}

export interface TakeoverNonce {
  readonly nonce: string;
  readonly expiresAt: Date;
}

/**
 * A nonce is stateless: its issue time and a MAC over everything it is for. It proves that the
 * claimant is alive now and has seen that somebody else holds the token, which no late packet can.
 */
export function issueTakeoverNonce(key: Buffer, scope: TakeoverScope, now: Date): TakeoverNonce {
  const issued = now.getTime().toString(36);
  const expiresAt = new Date(now.getTime() + LIMITS.takeoverNonceMs);
  return { nonce: `${issued}.${mac(key, scope, issued)}`, expiresAt };
}

/** Whether one of the keys issued the nonce, for this, and not too long ago. */
export function isTakeoverNonce(
  keys: MacKeys,
  scope: TakeoverScope,
  nonce: string,
  now: Date,
): boolean {
  const [issued, given] = nonce.split('.');
  if (issued === undefined || given === undefined) return false;
  const ageMs = now.getTime() - Number.parseInt(issued, 36);
  if (!(ageMs >= 0 && ageMs <= LIMITS.takeoverNonceMs)) return false;
  const actual = Buffer.from(given);
  return keys.some((key) => {
    const expected = Buffer.from(mac(key, scope, issued));
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  });
}

function mac(key: Buffer, scope: TakeoverScope, issued: string): string {
  const { installationId, addressKey, holderRef, holderVersion, by } = scope;
  const parts = [installationId, addressKey.toString('hex'), holderRef, holderVersion, by, issued];
  return createHmac('sha256', key).update(parts.join('\u0000')).digest('base64url');
}
