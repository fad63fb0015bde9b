import type { RetryPolicy } from '../../domain/retry-policy.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/**
 * Transient: 10 s, 20 s, 40 s, 80 s, 160 s, 320 s, 640 s, 1280 s; Google wants at least 10 s before
 * a retry and an end after 60 min at most. Throttled: 60 s unless FCM names a time ("Best practices
 * when sending FCM messages at scale").
 */
export const FCM_RETRY_POLICY: RetryPolicy = {
  transientDelaysMs: [10, 20, 40, 80, 160, 320, 640, 1280].map((seconds) => seconds * SECOND_MS),
  throttledTokenDelaysMs: [60 * SECOND_MS],
  throttledDelaysMs: [60 * SECOND_MS],
  authDelaysMs: [1, 5, 15].map((minutes) => minutes * MINUTE_MS),
  unknownRepeats: 2,
  unclassifiedRepeats: 1,
  giveUpAfterMs: 60 * MINUTE_MS,
};
