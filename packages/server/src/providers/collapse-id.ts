import { hash } from 'node:crypto';
import type { Push } from '../domain/push.ts';

/**
 * Apple's limit is 64 bytes; a header also cannot carry everything that a collapse key may hold.
 */
const FITS_HEADER = /^[\x21-\x7e]{1,64}$/;

/**
 * The `apns-collapse-id` of a push: the caller's collapse key, hashed when it does not fit, or else
 * the push's own id, so that a repeat after an unknown outcome replaces what it repeats.
 */
export function apnsCollapseId({ id, message: { collapseKey } }: Push): string {
  if (collapseKey === null) return id;
  return FITS_HEADER.test(collapseKey) ? collapseKey : hash('sha256', collapseKey, 'base64url');
}
