import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../src/domain/outcome.ts';
import { retryDelayMs } from '../../src/domain/retry-policy.ts';
import type { RetryPolicy } from '../../src/domain/retry-policy.ts';
import { APNS_RETRY_POLICY } from '../../src/providers/apns/retry-policy.ts';
import { EXPO_RETRY_POLICY } from '../../src/providers/expo/retry-policy.ts';
import { FCM_RETRY_POLICY } from '../../src/providers/fcm/retry-policy.ts';
import { HMS_RETRY_POLICY } from '../../src/providers/hms/retry-policy.ts';
import { WEB_PUSH_RETRY_POLICY } from '../../src/providers/webpush/retry-policy.ts';

const TRANSIENT: Outcome = { kind: 'transient', code: 'x', status: 503, retryAfterMs: null };
const THROTTLED: Outcome = {
  kind: 'throttled',
  code: 'x',
  status: 429,
  retryAfterMs: null,
  scope: 'credential',
};
const UNKNOWN: Outcome = { kind: 'unknown', code: 'TIMEOUT', status: null };
const UNCLASSIFIED: Outcome = { kind: 'unclassified', code: '418', status: 418 };
const AUTH: Outcome = { kind: 'auth', code: 'x', status: 403, scope: 'credential' };

/** The delays in seconds that a push meets when every attempt ends alike, up to `limit` of them. */
function sequence(policy: RetryPolicy, outcome: Outcome, limit = 9): readonly (number | string)[] {
  const delays: (number | string)[] = [];
  let sinceFirstAttemptMs = 0;
  while (delays.length < limit) {
    const delayMs = retryDelayMs(policy, outcome, {
      attempts: delays.length + 1,
      sinceFirstAttemptMs,
    });
    if (delayMs === null) return [...delays, 'end'];
    delays.push(delayMs / 1000);
    sinceFirstAttemptMs += delayMs;
  }
  return delays;
}

describe('the retry policy', () => {
  it('of APNs is 1 s, 5 s, 30 s, 2 min and then every 15 min for a day', () => {
    assert.deepEqual(sequence(APNS_RETRY_POLICY, TRANSIENT, 6), [1, 5, 30, 120, 900, 900]);
    const all = sequence(APNS_RETRY_POLICY, TRANSIENT, 1000);
    assert.equal(all.at(-1), 'end');
    assert.equal(all.length - 1, 4 + 95);
  });

  it('of APNs doubles for a throttled token up to 15 min, for a credential up to an hour', () => {
    const ofToken: Outcome = { ...THROTTLED, scope: 'token' };
    assert.deepEqual(sequence(APNS_RETRY_POLICY, ofToken, 7), [30, 60, 120, 240, 480, 900, 900]);
    const ofCredential = [60, 120, 240, 480, 960, 1920, 3600, 3600];
    assert.deepEqual(sequence(APNS_RETRY_POLICY, THROTTLED, 8), ofCredential);
  });

  it('of FCM doubles from 10 s and ends within the hour', () => {
    const expected = [10, 20, 40, 80, 160, 320, 640, 1280, 'end'];
    assert.deepEqual(sequence(FCM_RETRY_POLICY, TRANSIENT), expected);
    assert.deepEqual(sequence(FCM_RETRY_POLICY, THROTTLED, 3), [60, 60, 60]);
  });

  it('of HMS doubles from 5 s, or 10 s when there is too much, and ends within half an hour', () => {
    const expected = [5, 10, 20, 40, 80, 160, 320, 640, 'end'];
    assert.deepEqual(sequence(HMS_RETRY_POLICY, TRANSIENT), expected);
    assert.deepEqual(sequence(HMS_RETRY_POLICY, THROTTLED), [10, 20, 40, 80, 160, 320, 640, 'end']);
  });

  it('of Web Push doubles from 5 s to 20 min for as long as a message can live', () => {
    const expected = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1280];
    assert.deepEqual(sequence(WEB_PUSH_RETRY_POLICY, TRANSIENT, 10), expected);
    assert.deepEqual(sequence(WEB_PUSH_RETRY_POLICY, THROTTLED, 2), [60, 60]);
    const days = { attempts: 9, sinceFirstAttemptMs: 27 * 86_400_000 };
    assert.equal(retryDelayMs(WEB_PUSH_RETRY_POLICY, TRANSIENT, days), 1_280_000);
  });

  it("puts the provider's own time before the list", () => {
    const asked: Outcome = { ...TRANSIENT, retryAfterMs: 77_000 };
    assert.deepEqual(sequence(FCM_RETRY_POLICY, asked, 2), [77, 77]);
  });

  it('repeats what may have been accepted twice, and what nobody knows once', () => {
    assert.deepEqual(sequence(APNS_RETRY_POLICY, UNKNOWN), [1, 5, 'end']);
    assert.deepEqual(sequence(FCM_RETRY_POLICY, UNKNOWN), [10, 20, 'end']);
    assert.deepEqual(sequence(APNS_RETRY_POLICY, UNCLASSIFIED), [1, 'end']);
  });

  it('never gives work up because of a credential', () => {
    const ages = { attempts: 100, sinceFirstAttemptMs: 10 * 86_400_000 };
    assert.equal(retryDelayMs(FCM_RETRY_POLICY, AUTH, ages), 900_000);
  });

  it('tries what was not started again at once, and what is settled never', () => {
    const first = { attempts: 1, sinceFirstAttemptMs: 0 };
    assert.equal(retryDelayMs(APNS_RETRY_POLICY, { kind: 'not_started' }, first), 0);
    const settled: readonly Outcome[] = [
      { kind: 'accepted', providerId: '1' },
      { kind: 'token_dead', code: 'x', status: 410, since: null },
      { kind: 'token_mismatch', code: 'x', status: 400 },
      { kind: 'payload', code: 'x', status: 400, detail: '' },
    ];
    for (const outcome of settled) {
      assert.equal(retryDelayMs(APNS_RETRY_POLICY, outcome, first), null);
    }
  });

  it('of Expo doubles from a second for half an hour', () => {
    const doubling = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 'end'];
    assert.deepEqual(sequence(EXPO_RETRY_POLICY, TRANSIENT, 20), doubling);
    assert.deepEqual(sequence(EXPO_RETRY_POLICY, { ...THROTTLED, scope: 'token' }, 20), doubling);
  });
});
