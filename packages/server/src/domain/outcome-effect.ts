import type { DeliveryState } from './delivery.ts';
import type { Outcome } from './outcome.ts';

/** What an outcome makes of its delivery, before time and expiry are looked at. */
export interface OutcomeEffect {
  /** `retry` becomes `retrying` or, past the expiry or the last attempt, a terminal state. */
  readonly delivery: DeliveryState | 'retry';
  /** What the registry hears of it; null when the token is not concerned. */
  readonly token: 'accepted' | 'dead' | 'mismatch' | 'failure' | null;
  /** True when the whole lane has to stop until a person has looked at the credential. */
  readonly stopsLane: boolean;
}

/**
 * The engine's reaction to each kind of outcome. Dead, mismatch and our own fault are kept apart:
 * only `token_dead` may retire a token, and `auth` never touches one.
 */
export function effectOf(outcome: Exclude<Outcome, { kind: 'not_started' }>): OutcomeEffect {
  switch (outcome.kind) {
    case 'accepted':
      return { delivery: 'accepted', token: 'accepted', stopsLane: false };
    case 'token_dead':
      return { delivery: 'failed', token: 'dead', stopsLane: false };
    case 'token_mismatch':
      return { delivery: 'failed', token: 'mismatch', stopsLane: false };
    case 'payload':
      return { delivery: 'failed', token: null, stopsLane: false };
    case 'throttled':
    case 'transient':
      return { delivery: 'retry', token: 'failure', stopsLane: false };
    case 'auth':
      return { delivery: 'retry', token: null, stopsLane: true };
    case 'unclassified':
      return { delivery: 'retry', token: 'failure', stopsLane: false };
    case 'unknown':
      return { delivery: 'retry', token: null, stopsLane: false };
  }
}

/** The word that ledger and reports use for an outcome that is not `accepted`. */
export function reasonOf(outcome: Exclude<Outcome, { kind: 'not_started' | 'accepted' }>): string {
  return outcome.kind;
}
