import type { RetryPolicy } from '../../domain/retry-policy.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/**
 * Transient: 5 s, 10 s, 20 s, and so on to 640 s. Throttled, which Huawei calls flow control: 10 s,
 * 20 s, and so on to 640 s, unless it names a time. After half an hour it ends.
 */
export const HMS_RETRY_POLICY: RetryPolicy = {
  transientDelaysMs: [5, 10, 20, 40, 80, 160, 320, 640].map((seconds) => seconds * SECOND_MS),
  throttledTokenDelaysMs: [10, 20, 40, 80, 160, 320, 640].map((seconds) => seconds * SECOND_MS),
  throttledDelaysMs: [10, 20, 40, 80, 160, 320, 640].map((seconds) => seconds * SECOND_MS),
  authDelaysMs: [1, 5, 15].map((minutes) => minutes * MINUTE_MS),
  unknownRepeats: 2,
  unclassifiedRepeats: 1,
  giveUpAfterMs: 30 * MINUTE_MS,
};
