import type { Outcome } from './outcome.ts';

/**
 * When a refused push is worth another attempt, as data. A delay is chosen by how many attempts
 * were made; the last one of a list repeats. Jitter is the caller's business, and so is the push's
 * expiry.
 */
export interface RetryPolicy {
  readonly transientDelaysMs: readonly number[];
  /** Throttled because of this one token. */
  readonly throttledTokenDelaysMs: readonly number[];
  /** Throttled because of anything that other pushes share: host, topic, credential. */
  readonly throttledDelaysMs: readonly number[];
  /** How long work waits for an operator to mend a credential. */
  readonly authDelaysMs: readonly number[];
  /** How often a push is repeated that may have been accepted; each repeat may be a duplicate. */
  readonly unknownRepeats: number;
  /** How often a push is repeated after an answer that nobody knows. */
  readonly unclassifiedRepeats: number;
  /**
   * A token that is younger than this may be called dead by mistake: it is asked once more, after
   * this delay and up to as much again. Left out where the first word on that counts.
   */
  readonly doubtedDeath?: { readonly youngerThanMs: number; readonly delayMs: number };
  /** Since the first attempt. Does not end the waiting for a credential: only the expiry does. */
  readonly giveUpAfterMs: number;
}

export interface RetryHistory {
  /** Attempts made so far, this one included: at least 1. */
  readonly attempts: number;
  readonly sinceFirstAttemptMs: number;
}

function delayOf(delaysMs: readonly number[], attempts: number): number | null {
  return delaysMs[Math.min(attempts, delaysMs.length) - 1] ?? null;
}

/**
 * The milliseconds to wait before the next attempt, without jitter, or null when this outcome is
 * final. A provider's own `Retry-After` goes before our list.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  outcome: Outcome,
  { attempts, sinceFirstAttemptMs }: RetryHistory,
): number | null {
  const within = (delayMs: number | null): number | null =>
    delayMs !== null && sinceFirstAttemptMs + delayMs <= policy.giveUpAfterMs ? delayMs : null;
  const transient = delayOf(policy.transientDelaysMs, attempts);
  switch (outcome.kind) {
    case 'not_started':
      return 0;
    case 'auth':
      return delayOf(policy.authDelaysMs, attempts);
    case 'transient':
      return within(outcome.retryAfterMs ?? transient);
    case 'throttled': {
      const ofToken = outcome.scope === 'token';
      const delays = ofToken ? policy.throttledTokenDelaysMs : policy.throttledDelaysMs;
      return within(outcome.retryAfterMs ?? delayOf(delays, attempts));
    }
    case 'unknown':
      return attempts <= policy.unknownRepeats ? within(transient) : null;
    case 'unclassified':
      return attempts <= policy.unclassifiedRepeats ? within(transient) : null;
    case 'accepted':
    case 'payload':
    case 'token_dead':
    case 'token_mismatch':
      return null;
    default:
      return outcome satisfies never;
  }
}
