import type { Outcome } from '../domain/outcome.ts';
import type { RetryPolicy } from '../domain/retry-policy.ts';
import type { BreakerEvent } from './breaker.ts';

/** What one outcome says about the host that it came from, and about the credential. */
export interface Lesson {
  readonly host: BreakerEvent;
  readonly credential: BreakerEvent;
  /**
   * Whether a push was refused or taken. Otherwise the outcome only says that lane or host cannot
   * be used at the moment: it burns no attempt, and its push waits.
   */
  readonly isAttempt: boolean;
}

const AUTH_PAUSE_MS = 60_000;

const ANSWER: BreakerEvent = { kind: 'answer' };
const FAILURE: BreakerEvent = { kind: 'failure' };
const UNASKED: BreakerEvent = { kind: 'unasked' };
const OUT_OF_REACH: BreakerEvent = { kind: 'fault', pauseMs: null };

/**
 * What is to be learned from an outcome. A probe that is throttled again counts as an attempt:
 * otherwise one push that is refused for its own sake would keep all others waiting.
 *
 * `trips` is how often the credential was found throttled in a row so far.
 */
export function lessonOf(
  outcome: Outcome,
  {
    isProbe,
    trips,
    policy,
  }: {
    readonly isProbe: boolean;
    readonly trips: number;
    readonly policy: RetryPolicy;
  },
): Lesson {
  switch (outcome.kind) {
    case 'accepted':
      return { host: ANSWER, credential: ANSWER, isAttempt: true };
    case 'not_started':
      // A probe that found no connection within its second has its answer.
      return { host: isProbe ? OUT_OF_REACH : UNASKED, credential: UNASKED, isAttempt: false };
    case 'transient':
      // Without a status nothing was handed over: no connection, or nothing to authenticate with.
      return outcome.status === null
        ? { host: OUT_OF_REACH, credential: UNASKED, isAttempt: false }
        : { host: FAILURE, credential: ANSWER, isAttempt: true };
    case 'unknown':
      return { host: FAILURE, credential: UNASKED, isAttempt: true };
    case 'auth':
      // One probe that is refused for its own sake is not to keep all others waiting.
      if (outcome.scope === 'host') {
        const fault: BreakerEvent = { kind: 'fault', pauseMs: AUTH_PAUSE_MS };
        return { host: fault, credential: ANSWER, isAttempt: isProbe };
      }
      // A refusal of one topic leaves the credential's other topics alone.
      if (outcome.scope !== 'credential') return answered(outcome.status);
      return {
        host: answered(outcome.status).host,
        credential: { kind: 'fault', pauseMs: AUTH_PAUSE_MS },
        isAttempt: false,
      };
    case 'throttled': {
      if (outcome.scope === 'token' || outcome.scope === 'topic') return answered(outcome.status);
      const delays = policy.throttledDelaysMs;
      const ownMs = delays[Math.min(trips, delays.length - 1)] ?? null;
      const fault: BreakerEvent = { kind: 'fault', pauseMs: outcome.retryAfterMs ?? ownMs };
      return outcome.scope === 'host'
        ? { host: fault, credential: ANSWER, isAttempt: isProbe }
        : { host: ANSWER, credential: fault, isAttempt: isProbe };
    }
    case 'token_dead':
    case 'token_mismatch':
    case 'payload':
    case 'unclassified':
      return answered(outcome.status);
  }
}

/** Without a status nobody was asked: the push was found wanting before it left. */
function answered(status: number | null): Lesson {
  const event = status === null ? UNASKED : ANSWER;
  return { host: event, credential: event, isAttempt: true };
}
