import { createHmac } from 'node:crypto';
import { toSecretKey, type KeyMaterial } from './signing-key.ts';

/**
 * The static signature of a user id, in lower-case hex, for apps that have `static_signatures` on.
 * It says who, and neither when nor where: docs/identity.md tells what it therefore cannot do.
 */
export function signUser(userId: string, secret: KeyMaterial): string {
  if (typeof userId !== 'string' || userId.trim() === '') {
    throw new TypeError('userId has to be a text that is not empty');
  }
  return createHmac('sha256', toSecretKey(secret)).update(userId).digest('hex');
}
