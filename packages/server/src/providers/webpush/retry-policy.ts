import { LIMITS } from '../../domain/limits.ts';
import type { RetryPolicy } from '../../domain/retry-policy.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Transient: 5 s doubling to 20 min, as long as the message lives; Mozilla names its two minutes
 * with every 503. Throttled: 60 s unless the service names a time.
 *
 * A subscription that is younger than ten minutes and called dead is asked once more after 30 to 60
 * seconds: Google has called fresh ones dead that worked a moment later.
 */
export const WEB_PUSH_RETRY_POLICY: RetryPolicy = {
  transientDelaysMs: [5, 10, 20, 40, 80, 160, 320, 640, 1280].map((delay) => delay * SECOND_MS),
  throttledTokenDelaysMs: [60 * SECOND_MS],
  throttledDelaysMs: [60 * SECOND_MS],
  authDelaysMs: [1, 5, 15].map((minutes) => minutes * MINUTE_MS),
  unknownRepeats: 2,
  unclassifiedRepeats: 1,
  giveUpAfterMs: LIMITS.ttlDays * DAY_MS,
  doubtedDeath: { youngerThanMs: 10 * MINUTE_MS, delayMs: 30 * SECOND_MS },
};
