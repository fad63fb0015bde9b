import type { RetryPolicy } from '../../domain/retry-policy.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Transient: 1 s, 5 s, 30 s, 2 min, then every 15 min, because Apple speaks of 15 minutes for 5xx
 * and yet most single failures pass at once. Throttled for a token: 30 s doubling to 15 min.
 * Throttled as a whole: 1 min doubling to an hour. Given up after a day.
 */
export const APNS_RETRY_POLICY: RetryPolicy = {
  transientDelaysMs: [1, 5, 30, 120, 900].map((seconds) => seconds * SECOND_MS),
  throttledTokenDelaysMs: [30, 60, 120, 240, 480, 900].map((seconds) => seconds * SECOND_MS),
  throttledDelaysMs: [1, 2, 4, 8, 16, 32, 60].map((minutes) => minutes * MINUTE_MS),
  authDelaysMs: [1, 5, 15].map((minutes) => minutes * MINUTE_MS),
  unknownRepeats: 2,
  unclassifiedRepeats: 1,
  giveUpAfterMs: 24 * HOUR_MS,
};
