import { base64url } from './base64url.ts';
import type { Identity } from './identity.ts';
import type { Cryptography } from './ports.ts';

const TAG_CHARACTERS = 22;

/**
 * The tag by which a push says that it is for a user of this installation: the first characters of
 * base64url(SHA-256("rcpt" ‖ SHA-256(secret) ‖ user id)). The server makes the same one.
 */
export async function addresseeTag(
  cryptography: Cryptography,
  { secret }: Identity,
  userId: string,
): Promise<string> {
  const encoder = new TextEncoder();
  const parts = [
    ...encoder.encode('rcpt'),
    ...(await cryptography.sha256(encoder.encode(secret))),
    ...encoder.encode(userId),
  ];
  return base64url(await cryptography.sha256(Uint8Array.from(parts))).slice(0, TAG_CHARACTERS);
}
