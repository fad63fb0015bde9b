import type { RetryPolicy } from '../../domain/retry-policy.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/**
 * Transient: 1 s, 2 s, 4 s, 8 s, 16 s, 32 s, 64 s, 128 s, 256 s, 512 s, for half an hour.
 * Throttled, one device or the project: the same, unless Expo names a time. The base is that of
 * Expo's own SDK, which gives up after two repeats.
 *
 * What a receipt says of one device comes 15 minutes after the push at the earliest, so that such a
 * push is offered again about once.
 */
const DOUBLING_MS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((seconds) => seconds * SECOND_MS);

export const EXPO_RETRY_POLICY: RetryPolicy = {
  transientDelaysMs: DOUBLING_MS,
  throttledTokenDelaysMs: DOUBLING_MS,
  throttledDelaysMs: DOUBLING_MS,
  authDelaysMs: [1, 5, 15].map((minutes) => minutes * MINUTE_MS),
  unknownRepeats: 2,
  unclassifiedRepeats: 1,
  giveUpAfterMs: 30 * MINUTE_MS,
};
