import { hash } from 'node:crypto';
import type { Push } from '../domain/push.ts';

/**
 * Apple's limit is 64 bytes; a header also cannot carry everything that a collapse key may hold.
 */
const FITS_HEADER = /^[\x21-\x7e]{1,64}$/;

/** The caller's collapse key, for each user of a shared device one of its own; null without one. */
export function collapseKeyOf({ message: { collapseKey }, collapseScope }: Push): string | null {
  if (collapseKey === null || collapseScope === null) return collapseKey;
  return `${collapseScope}.${collapseKey}`;
}

/**
 * The `apns-collapse-id` of a push: the caller's collapse key, hashed when it does not fit, or else
 * the push's own id, so that a repeat after an unknown outcome replaces what it repeats.
 */
export function apnsCollapseId(push: Push): string {
  const collapseKey = collapseKeyOf(push);
  if (collapseKey === null) return push.id;
  return FITS_HEADER.test(collapseKey) ? collapseKey : hash('sha256', collapseKey, 'base64url');
}
