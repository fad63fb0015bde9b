import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SharedSecret } from './identity-key-book.ts';

const SHAPE = /^[0-9a-f]{64}$/;

/**
 * Since when the secret exists that signed a user id, `HMAC-SHA256(secret, user id)` in lower-case
 * hex; null when none of them did. How long it takes tells nothing about the right signature.
 */
export function matchStaticSignature(
  signature: string,
  userId: string,
  secrets: readonly SharedSecret[],
): Date | null {
  if (!SHAPE.test(signature)) return null;
  const given = Buffer.from(signature, 'hex');
  const match = secrets.find(({ secret }) =>
    timingSafeEqual(createHmac('sha256', secret).update(userId).digest(), given),
  );
  return match?.since ?? null;
}
