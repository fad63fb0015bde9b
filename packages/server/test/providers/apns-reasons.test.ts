import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeaderField } from '@homing/h2';
import { classifyRefusal } from '../../src/providers/apns/reasons.ts';
import type { ApnsRefusal } from '../../src/providers/apns/reasons.ts';

const NOW = new Date('2026-05-05T10:00:00Z');

const RETRY_AFTER = { name: 'retry-after', value: '7' };

function classify(status: number, body: unknown, fields: readonly HeaderField[] = []): ApnsRefusal {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = { kind: 'answer', status, fields, body: text, connection: 1 } as const;
  return classifyRefusal({ ...answer, isWhole: true, authorization: 'bearer x' }, NOW);
}

describe('an APNs refusal', () => {
  it('of 410 is dead as of the timestamp in milliseconds', () => {
    const { outcome } = classify(410, { reason: 'Unregistered', timestamp: 1_454_948_015_990 });
    const since = new Date(1_454_948_015_990);
    assert.deepEqual(outcome, { kind: 'token_dead', status: 410, code: 'Unregistered', since });
  });

  it('of 410 has no date when the timestamp is missing, in seconds or absurd', () => {
    for (const timestamp of [undefined, 1_454_948_015, '1454948015990', 1e300, null]) {
      const { outcome } = classify(410, { reason: 'ExpiredToken', timestamp });
      assert(outcome.kind === 'token_dead');
      assert.equal(outcome.since, null);
    }
  });

  it('is looked up by status and reason, then by status, then by the hundred', () => {
    assert.equal(classify(410, { reason: 'BadDeviceToken' }).outcome.kind, 'token_dead');
    assert.equal(classify(400, { reason: 'NewReason' }).outcome.kind, 'payload');
    assert.equal(classify(502, '<html>').outcome.kind, 'transient');
    assert.equal(classify(418, { reason: 'BadDeviceToken' }).outcome.kind, 'unclassified');
    assert.equal(classify(301, '').outcome.kind, 'unclassified');
  });

  it('keeps the reason verbatim, and the status where there is none', () => {
    assert.deepEqual(classify(400, { reason: 'NewReason' }).outcome, {
      kind: 'payload',
      status: 400,
      code: 'NewReason',
      detail: 'an unknown reason with status 400',
    });
    assert.deepEqual(classify(418, '[1]').outcome, {
      kind: 'unclassified',
      status: 418,
      code: '418',
    });
  });

  it('does not mistake a name of Object.prototype for a row', () => {
    assert.equal(classify(599, { reason: 'constructor' }).outcome.kind, 'transient');
    assert.equal(classify(418, { reason: '__proto__' }).outcome.kind, 'unclassified');
  });

  it('says which provider token trouble mends itself', () => {
    assert.equal(classify(403, { reason: 'ExpiredProviderToken' }).action, 'renew_token');
    assert.equal(classify(403, { reason: 'UnrelatedKeyIdInToken' }).action, 'reconnect');
    assert.equal(classify(503, { reason: 'Shutdown' }).action, 'reconnect');
    assert.equal(classify(403, { reason: 'InvalidProviderToken' }).action, 'report');
  });

  it('is throttled for the token or for the credential, and honours Retry-After', () => {
    assert.deepEqual(classify(429, { reason: 'TooManyRequests' }, [RETRY_AFTER]).outcome, {
      kind: 'throttled',
      status: 429,
      code: 'TooManyRequests',
      retryAfterMs: 7000,
      scope: 'token',
    });
    const { outcome } = classify(429, { reason: 'TooManyProviderTokenUpdates' });
    assert(outcome.kind === 'throttled');
    assert.equal(outcome.scope, 'credential');
  });
});
