import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyRefusal } from '../../src/providers/fcm/reasons.ts';
import type { FcmRefusal } from '../../src/providers/fcm/reasons.ts';

const NOW = new Date('2026-05-05T10:00:00Z');
const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const APNS_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.ApnsError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
const QUOTA_FAILURE = 'type.googleapis.com/google.rpc.QuotaFailure';

function classifyBody(status: number, body: string): FcmRefusal {
  const answer = { kind: 'answer', status, fields: [], body, connection: 1 } as const;
  return classifyRefusal({ ...answer, isWhole: true, authorization: 'Bearer x' }, NOW);
}

function classify(
  status: number,
  error: { status?: string; message?: string; details?: readonly unknown[] },
): FcmRefusal {
  return classifyBody(status, JSON.stringify({ error: { code: status, ...error } }));
}

const invalid = { '@type': FCM_ERROR, errorCode: 'INVALID_ARGUMENT' };

function violation(field: string): unknown {
  return { '@type': BAD_REQUEST, fieldViolations: [{ field, description: 'x' }] };
}

function classifyApns(statusCode: number, reason: string): FcmRefusal {
  const details = [invalid, { '@type': APNS_ERROR, statusCode, reason }];
  return classify(400, { status: 'INVALID_ARGUMENT', details });
}

function quotaScope(details: readonly unknown[]): string {
  const { outcome } = classify(429, { status: 'RESOURCE_EXHAUSTED', details });
  assert(outcome.kind === 'throttled');
  return outcome.scope;
}

function kindAndCode({ outcome }: FcmRefusal): string {
  assert('code' in outcome);
  return `${outcome.kind} ${outcome.code}`;
}

describe('an FCM refusal', () => {
  it('is about the token when either generation of body says so', () => {
    const message = 'The registration token is not a valid FCM registration token';
    const older = { status: 'INVALID_ARGUMENT', message, details: [invalid] };
    assert.equal(kindAndCode(classify(400, older)), 'token_dead INVALID_ARGUMENT:token');
    for (const field of ['message.token', 'message.fid']) {
      const newer = { status: 'INVALID_ARGUMENT', details: [invalid, violation(field)] };
      assert.equal(kindAndCode(classify(400, newer)), 'token_dead INVALID_ARGUMENT:token');
    }
  });

  it('is about the payload when any other field is to blame, or nothing says that it is not', () => {
    const cases: readonly (readonly [unknown[], string])[] = [
      [[violation('message.data[0].value')], 'INVALID_ARGUMENT:fieldViolation'],
      [[invalid, violation('message.android.ttl')], 'INVALID_ARGUMENT:fieldViolation'],
      [[violation('message.token')], 'INVALID_ARGUMENT'],
      [[invalid], 'INVALID_ARGUMENT'],
      [[], 'INVALID_ARGUMENT:no-details'],
    ];
    for (const [details, code] of cases) {
      const refusal = classify(400, { status: 'INVALID_ARGUMENT', details });
      assert.equal(kindAndCode(refusal), `payload ${code}`);
    }
  });

  it('does not blame the token when another field is wrong as well', () => {
    const both = {
      '@type': BAD_REQUEST,
      fieldViolations: [{ field: 'message.token' }, { field: 'message.data' }],
    };
    const refusal = classify(400, { status: 'INVALID_ARGUMENT', details: [invalid, both] });
    assert.equal(kindAndCode(refusal), 'payload INVALID_ARGUMENT:fieldViolation');
  });

  it('names a missing target', () => {
    const message = 'Recipient of the message is not set.';
    const details = [violation('message'), invalid];
    const refusal = classify(400, { status: 'INVALID_ARGUMENT', message, details });
    assert.equal(kindAndCode(refusal), 'payload INVALID_ARGUMENT:no-target');
  });

  it('lets what APNs said decide about an iPhone', () => {
    assert.equal(
      kindAndCode(classifyApns(410, 'Unregistered')),
      'token_dead INVALID_ARGUMENT:ApnsError410',
    );
    for (const reason of ['BadDeviceToken', 'DeviceTokenNotForTopic']) {
      const expected = 'token_mismatch INVALID_ARGUMENT:ApnsError400BadDeviceToken';
      assert.equal(kindAndCode(classifyApns(400, reason)), expected);
    }
    assert.equal(kindAndCode(classifyApns(400, 'PayloadTooLarge')), 'payload INVALID_ARGUMENT');
  });

  it('is a dead token for UNREGISTERED, and never for a bare 404', () => {
    const unregistered = [
      { '@type': FCM_ERROR, errorCode: 'UNREGISTERED' },
      { '@type': APNS_ERROR, statusCode: 410, reason: 'Unregistered' },
    ];
    const gone = classify(404, { status: 'NOT_FOUND', details: unregistered });
    assert.equal(kindAndCode(gone), 'token_dead UNREGISTERED');
    const missing = classify(404, { status: 'NOT_FOUND' });
    assert.equal(kindAndCode(missing), 'unclassified NOT_FOUND(no FcmError)');
    assert.equal(kindAndCode(classifyBody(404, '<html>')), 'unclassified (html)');
    assert.equal(kindAndCode(classify(404, {})), 'unclassified 404');
  });

  it("tells Firebase's own key from our access token", () => {
    const details = [
      { '@type': FCM_ERROR, errorCode: 'THIRD_PARTY_AUTH_ERROR' },
      { '@type': APNS_ERROR, statusCode: 403, reason: 'InvalidProviderToken' },
    ];
    const theirs = classify(401, { status: 'UNAUTHENTICATED', details });
    assert.equal(kindAndCode(theirs), 'auth THIRD_PARTY_AUTH_ERROR');
    assert.equal(theirs.action, 'report');

    const ours = classify(401, { status: 'UNAUTHENTICATED', message: 'Expected OAuth 2 token.' });
    assert.equal(kindAndCode(ours), 'auth UNAUTHENTICATED');
    assert.equal(ours.action, 'renew_token');

    const contradictory = classify(401, {
      status: 'UNAUTHENTICATED',
      message: 'Request had invalid credentials. Expected OAuth 2 access token.',
      details: details.slice(0, 1),
    });
    assert.equal(kindAndCode(contradictory), 'auth THIRD_PARTY_AUTH_ERROR');
    assert.equal(contradictory.action, 'renew_token');
  });

  it('slows down one device when that quota is named, and the project otherwise', () => {
    const quota = { '@type': FCM_ERROR, errorCode: 'QUOTA_EXCEEDED' };
    const device = {
      '@type': QUOTA_FAILURE,
      violations: [{ subject: 'x', description: 'Device message rate exceeded' }],
    };
    assert.equal(quotaScope([quota]), 'credential');
    assert.equal(quotaScope([quota, device]), 'token');
    assert.equal(quotaScope([]), 'credential');
  });

  it('takes UNSPECIFIED_ERROR for no statement at all, whatever the status', () => {
    const details = [{ '@type': FCM_ERROR, errorCode: 'UNSPECIFIED_ERROR' }];
    for (const status of [400, 404, 500]) {
      assert.equal(kindAndCode(classify(status, { details })), 'unclassified UNSPECIFIED_ERROR');
    }
  });

  it('survives every body', () => {
    const bodies = ['', '<html>', 'null', '[]', '{"error":1}', '{"error":{"details":[1,null,{}]}}'];
    const odd = '{"error":{"status":1,"details":[{"@type":2},{"@type":"/google.rpc.BadRequest"}]}}';
    for (const body of [...bodies, odd]) {
      for (const status of [302, 400, 401, 403, 404, 418, 429, 500, 502, 504]) {
        const { outcome } = classifyBody(status, body);
        assert.notEqual(outcome.kind, 'token_dead');
        assert.notEqual(outcome.kind, 'accepted');
      }
    }
  });
});
