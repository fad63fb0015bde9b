import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { PushService } from '../../src/domain/push-service.ts';
import { judgeAnswer } from '../../src/providers/webpush/judge-answer.ts';
import { RefusalStreak } from '../../src/providers/webpush/refusal-streak.ts';

interface Given {
  readonly service: PushService | null;
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function judge({ service, status, body = '', headers = {} }: Given): Outcome {
  const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const now = new Date('2026-01-01T00:00:00Z');
  return judgeAnswer({ status, body, fields, isWhole: true }, { service, pushId: 'p1', now });
}

function waitOf(given: Given): number | null | undefined {
  const outcome = judge(given);
  return 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined;
}

function scopeOf(given: Given): string | undefined {
  const outcome = judge(given);
  return 'scope' in outcome ? outcome.scope : undefined;
}

function kindsOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map((one) => ('scope' in one ? `${one.kind} ${one.scope}` : one.kind));
}

/** What comes of so many subscriptions that get the same answer. */
function weighMany(streak: RefusalStreak, outcome: Outcome, many: number, at: Date): string[] {
  const outcomes = Array.from({ length: many }, (_, index) =>
    streak.weigh(outcome, `t${index}`, at),
  );
  return [...kindsOf(outcomes)];
}

function times(many: number, kind: string): string[] {
  return Array.from({ length: many }, () => kind);
}

function mozilla(status: number, errno: number | null, message = ''): string {
  return JSON.stringify({ code: status, errno, error: 'x', message });
}

const MISMATCH = 'VAPID public key mismatch';

/** What is told apart by more than the status: the answer, the outcome's kind and its code. */
const DISCRIMINATED: readonly (readonly [Given, Outcome['kind'], string])[] = [
  [
    { service: 'mozilla', status: 401, body: mozilla(401, 109, MISMATCH) },
    'token_mismatch',
    'errno 109:KeyMismatch',
  ],
  [
    { service: 'mozilla', status: 401, body: mozilla(401, 109, 'Invalid VAPID audience') },
    'auth',
    'errno 109',
  ],
  [{ service: 'mozilla', status: 410, body: mozilla(410, 106) }, 'token_dead', 'errno 106'],
  [{ service: 'mozilla', status: 503, body: mozilla(503, null) }, 'transient', 'errno null'],
  [{ service: 'mozilla', status: 502, body: '<html>' }, 'transient', '502'],
  [
    { service: 'apple', status: 400, body: '{"reason":"VapidPkHashMismatch"}' },
    'token_mismatch',
    'VapidPkHashMismatch',
  ],
  // The reason goes before the status.
  [{ service: 'apple', status: 401, body: '{"reason":"BadJwtToken"}' }, 'auth', 'BadJwtToken'],
  [
    { service: 'apple', status: 400, body: '{"reason":"Unregistered"}' },
    'token_dead',
    'Unregistered',
  ],
  [{ service: 'apple', status: 400, body: '{"reason":"SomethingNew"}' }, 'payload', 'SomethingNew'],
  [
    { service: 'apple', status: 429, body: '{"reason":"TooManyRequests"}' },
    'throttled',
    'TooManyRequests',
  ],
  [
    {
      service: 'google',
      status: 400,
      body: 'binary data passed in the request must be less than 4096 bytes',
    },
    'payload',
    'payload-too-large-text',
  ],
  [
    { service: 'google', status: 400, body: 'UnauthorizedRegistration' },
    'token_mismatch',
    'UnauthorizedRegistration',
  ],
  [
    { service: 'google', status: 401, body: 'Authorization header must be specified' },
    'auth',
    'no-authorization',
  ],
  [
    {
      service: 'google',
      status: 403,
      body: 'the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions',
    },
    'token_mismatch',
    'vapid-mismatch',
  ],
  [
    { service: 'google', status: 410, body: 'push subscription has unsubscribed or expired' },
    'token_dead',
    '410',
  ],
  [
    {
      service: 'wns',
      status: 400,
      headers: { 'x-wns-error-description': 'Ttl value conflicts with X-WNS-Cache-Policy.' },
    },
    'payload',
    'TTL/X-WNS-Cache-Policy conflict',
  ],
  [
    { service: 'wns', status: 201, headers: { 'x-wns-status': 'dropped' } },
    'unclassified',
    'X-WNS-Status: dropped',
  ],
  [
    { service: 'wns', status: 200, headers: { 'x-wns-notificationstatus': 'channelThrottled' } },
    'throttled',
    'X-WNS-Status: channelthrottled',
  ],
  [{ service: 'wns', status: 412 }, 'transient', '412'],
  [{ service: null, status: 307 }, 'unclassified', '307'],
  [{ service: null, status: 418 }, 'unclassified', '418'],
  // A service of the operator's own is recognised by how it speaks.
  [
    { service: null, status: 401, body: mozilla(401, 109, MISMATCH) },
    'token_mismatch',
    'errno 109:KeyMismatch',
  ],
  [{ service: null, status: 403, body: '{"reason":"BadJwtToken"}' }, 'auth', 'BadJwtToken'],
  [{ service: null, status: 406, headers: { 'x-wns-msg-id': '1' } }, 'throttled', '406'],
];

describe('an answer of a push service', () => {
  for (const [given, kind, code] of DISCRIMINATED) {
    it(`of ${given.service ?? 'an unknown service'}, ${given.status} ${code}, is ${kind}`, () => {
      const outcome = judge(given);
      assert.ok('code' in outcome);
      assert.deepEqual([outcome.kind, outcome.code, outcome.status], [kind, code, given.status]);
    });
  }

  it('is an acceptance with 200, 201, 202 and 204, named as the service names it', () => {
    for (const status of [200, 201, 202, 204]) {
      assert.deepEqual(judge({ service: null, status }), { kind: 'accepted', providerId: 'p1' });
    }
    const location = 'https://updates.push.services.mozilla.com/m/abc';
    const named = judge({ service: 'mozilla', status: 201, headers: { location } });
    assert.deepEqual(named, { kind: 'accepted', providerId: location });
    const received = { 'x-wns-status': 'received', 'x-wns-msg-id': '42' };
    const kept = judge({ service: 'wns', status: 201, headers: received });
    assert.deepEqual(kept, { kind: 'accepted', providerId: '42' });
  });

  it('names the time to wait; Microsoft means ten minutes at least', () => {
    const headers = { 'retry-after': '120' };
    assert.equal(waitOf({ service: 'mozilla', status: 503, headers }), 120_000);
    assert.equal(waitOf({ service: 'google', status: 429 }), null);
    const channel = { 'x-wns-status': 'channelthrottled' };
    assert.equal(waitOf({ service: 'wns', status: 201, headers: channel }), 600_000);
    const longer = { ...channel, 'retry-after': '1200' };
    assert.equal(waitOf({ service: 'wns', status: 201, headers: longer }), 1_200_000);
  });

  it('counts for the subscription or for the host', () => {
    assert.equal(
      scopeOf({ service: 'apple', status: 429, body: '{"reason":"TooManyRequests"}' }),
      'token',
    );
    assert.equal(scopeOf({ service: 'google', status: 429 }), 'host');
    assert.equal(
      scopeOf({ service: 'apple', status: 403, body: '{"reason":"BadJwtToken"}' }),
      'host',
    );
    assert.equal(scopeOf({ service: 'wns', status: 401 }), 'token');
  });

  it('without its body blames nobody', () => {
    const answer = { status: 403, body: '', fields: [], isWhole: false };
    const setting = { service: 'apple', pushId: 'p1', now: new Date() } as const;
    assert.equal(judgeAnswer(answer, setting).kind, 'unclassified');
  });
});

describe('subscriptions that are refused one after the other', () => {
  const refused = judge({ service: 'google', status: 403, body: 'whatever' });
  const accepted: Outcome = { kind: 'accepted', providerId: 'x' };
  const now = new Date('2026-01-01T00:00:00Z');
  const later = new Date('2026-01-01T00:10:00Z');

  it('are the fault of the key from the fifth on', () => {
    const kinds = weighMany(new RefusalStreak(), refused, 6, now);
    assert.deepEqual(kinds, [...times(4, 'token_mismatch'), ...times(2, 'auth host')]);
  });

  it('count once each, and a success between them ends the row', () => {
    const streak = new RefusalStreak();
    const weigh = (outcome: Outcome, token: string, at = now): string =>
      streak.weigh(outcome, token, at).kind;
    for (let time = 0; time < 10; time += 1) assert.equal(weigh(refused, 'same'), 'token_mismatch');
    for (const token of ['t1', 't2', 't3']) assert.equal(weigh(refused, token), 'token_mismatch');
    assert.equal(weigh(accepted, 't9'), 'accepted');
    for (const token of ['t4', 't5', 't6', 't7']) {
      assert.equal(weigh(refused, token, later), 'token_mismatch');
    }
    assert.equal(weigh(refused, 't8', later), 'auth');
  });

  it('have to be fifty for ten minutes after the host has taken something', () => {
    const streak = new RefusalStreak();
    streak.weigh(accepted, 't9', now);
    const kinds = weighMany(streak, refused, 50, new Date(later.getTime() - 1));
    assert.deepEqual(kinds, [...times(49, 'token_mismatch'), 'auth host']);
  });

  it('are not the fault of the key when the host speaks of the endpoint alone', () => {
    const invented = judge({ service: 'apple', status: 400, body: '{"reason":"BadDeviceToken"}' });
    const kinds = weighMany(new RefusalStreak(), invented, 60, now);
    assert.deepEqual(kinds, times(60, 'token_mismatch'));
    const otherKey = judge({
      service: 'apple',
      status: 400,
      body: '{"reason":"VapidPkHashMismatch"}',
    });
    assert.equal(weighMany(new RefusalStreak(), otherKey, 5, now).at(-1), 'auth host');
  });

  it('are few, and put aside, also where the answer itself blames the key', () => {
    const streak = new RefusalStreak();
    const doubtful = judge({ service: 'wns', status: 401 });
    assert.equal(doubtful.kind, 'auth');
    assert.equal(streak.weigh(doubtful, 't1', now).kind, 'token_mismatch');
    // This one leaves no doubt.
    const certain = judge({ service: 'apple', status: 403, body: '{"reason":"BadJwtToken"}' });
    assert.deepEqual(streak.weigh(certain, 't1', now), certain);
  });
});
