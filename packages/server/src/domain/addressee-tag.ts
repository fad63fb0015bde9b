import { hash } from 'node:crypto';

/**
 * The tag that tells a device whom a push is for without naming anybody: the first 22 characters of
 * base64url(SHA-256("rcpt" ‖ secret hash ‖ user id)). The device knows both inputs and computes the
 * tag of its current user itself, so it can refuse another's push even after a switch without a
 * network. An installation without a secret (simple routes, back-end imports) has an empty secret
 * hash.
 */
export function addresseeTag(secretHash: Buffer | null, userId: string): string {
  const input = Buffer.concat([
    Buffer.from('rcpt'),
    secretHash ?? Buffer.alloc(0),
    Buffer.from(userId),
  ]);
  return hash('sha256', input, 'base64url').slice(0, 22);
}
