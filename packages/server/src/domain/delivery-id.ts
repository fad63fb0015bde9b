import { hash } from 'node:crypto';
import type { Recipient } from './delivery.ts';

/** The digits that the variant of RFC 9562 leaves to choose from. */
const VARIANTS = '89ab';

/**
 * The id that every attempt of one delivery carries: a UUID derived from notification, installation
 * and user, so that a worker that takes over after a crash repeats it without having stored it.
 * Version 8 (RFC 9562 section 5.8: custom, name-based on SHA-256).
 *
 * Rejected: the two references laid over one digest for each notification. It takes a third of the
 * time, and whoever sees an id, provider or device, could read the references.
 */
export function deliveryId(
  notificationId: string,
  { installationRef, userRef }: Recipient,
): string {
  const digest = hash('sha256', `${notificationId}/${installationRef}/${userRef}`, 'hex');
  const variant = VARIANTS.charAt(Number.parseInt(digest.charAt(16), 16) % 4);
  return (
    `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-` +
    `${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  );
}
