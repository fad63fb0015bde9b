import { createSecretKey, type KeyObject } from 'node:crypto';

/**
 * Keeps a secret that has to be sent as it is. A key object has its bytes outside of the heap, so
 * that no snapshot shows them, and nothing that prints settings prints them.
 */
export function keepSecret(text: string): KeyObject {
  return createSecretKey(text, 'utf8');
}

/** The secret as a text, to be written and dropped. */
export function revealSecret(secret: KeyObject): string {
  return secret.export().toString('utf8');
}
