import type { OutcomeKind } from './outcome.ts';

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
