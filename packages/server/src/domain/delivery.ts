import { hash } from 'node:crypto';
import type { OutcomeKind } from './outcome.ts';
import { dashed } from './uuid.ts';

/**
 * What a row of the ledger can say. `pending` and `sending` are derived from chunks, never rows.
 */
export const DELIVERY_STATES = [
  'accepted',
  'failed',
  'expired',
  'skipped',
  'unknown',
  'retrying',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const SKIP_REASONS = [
  'owner_changed',
  'opted_out',
  'permission_denied',
  'muted',
  'dormant',
  'quarantined',
  'contested',
  'no_token',
  'no_credential',
  'quiet_hours',
  'capped',
  'newer_sent',
  'cancelled',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** Why an attempt took nothing: the outcomes that a ledger row names as its reason. */
export const FAILURE_REASONS = [
  'token_dead',
  'token_mismatch',
  'payload',
  'throttled',
  'transient',
  'auth',
  'unclassified',
  'unknown',
] as const satisfies readonly OutcomeKind[];
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Whom one delivery is for: the ledger's key beside the notification and its day. */
export interface Recipient {
  readonly installationRef: number;
  /** 0 where the content is not user-bound. */
  readonly userRef: number;
}

/**
 * The id that every attempt of one delivery carries: a UUID derived from notification, installation
 * and user, so that a worker that takes over after a crash repeats it without having stored it.
 * Version 8 (RFC 9562 section 5.8: custom, name-based on SHA-256).
 */
export function deliveryId(notificationId: string, recipient: Recipient): string {
  const name = `${notificationId}/${recipient.installationRef}/${recipient.userRef}`;
  const bytes = hash('sha256', name, 'buffer').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return dashed(bytes.toString('hex'));
}
