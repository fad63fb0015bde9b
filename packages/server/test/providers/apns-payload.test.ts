import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_OVERRIDES, type Message } from '../../src/domain/message.ts';
import type { Push } from '../../src/domain/push.ts';
import { buildApnsRequest, measureApnsPayload } from '../../src/providers/apns/payload.ts';
import { LIVE_APNS_TOKEN, makeApnsPush, makeMessage, TOPIC } from './pushes.ts';

interface Built {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function built(push: Push): Built {
  const build = buildApnsRequest(push);
  assert(build.kind === 'request', JSON.stringify(build));
  const { shape, path, values, body } = build.request;
  const varying = shape.varying.map((name, index) => [name, values[index] ?? '']);
  const headers = Object.fromEntries([...shape.constants, ...varying]);
  return { path, headers, body: JSON.parse(body.toString()) };
}

function withOverrides(apns: Readonly<Record<string, unknown>>): Message {
  return makeMessage({ overrides: { ...NO_OVERRIDES, apns } });
}

function collapseIdFor(collapseKey: string): string | undefined {
  return built(makeApnsPush({ message: makeMessage({ collapseKey }) })).headers['apns-collapse-id'];
}

function problemOf(message: Message): { code: string; detail: string } {
  const build = buildApnsRequest(makeApnsPush({ message }));
  assert(build.kind === 'problem', 'the message was expected to be refused');
  return { code: build.code, detail: build.detail };
}

describe('an APNs request', () => {
  it('carries an alert that our extension may change, and the addressee tag', () => {
    const message = makeMessage({
      url: 'https://example.com/p/1',
      image: 'https://example.com/p/1.png',
      actions: [{ id: 'track', title: 'Track', url: null }],
      badge: 3,
      sound: 'ding.caf',
      data: { parcel: '1' },
    });
    const push = makeApnsPush({ message, rcpt: 'tag"22', expiresAt: new Date(1_800_000_000_900) });
    assert.deepEqual(built(push), {
      path: `/3/device/${LIVE_APNS_TOKEN}`,
      headers: {
        'apns-id': push.id,
        'apns-topic': TOPIC,
        'apns-push-type': 'alert',
        'apns-priority': '10',
        'apns-expiration': '1800000000',
        'apns-collapse-id': push.id,
      },
      body: {
        parcel: '1',
        aps: {
          alert: { title: 'Your parcel', body: 'It has shipped.' },
          'mutable-content': 1,
          badge: 3,
          sound: 'ding.caf',
          category: 'homing.track',
        },
        homing: {
          id: 'ntf_1',
          url: 'https://example.com/p/1',
          image: 'https://example.com/p/1.png',
          actions: [{ id: 'track', title: 'Track', url: null }],
          rcpt: 'tag"22',
        },
      },
    });
  });

  it('differs only in the tag between two addressees of one message', () => {
    const message = makeMessage();
    const bodies = ['one', null, 'two'].map((rcpt) => built(makeApnsPush({ message, rcpt })).body);
    assert.deepEqual(
      bodies.map((body) => (body as { homing: unknown }).homing),
      [{ id: 'ntf_1', rcpt: 'one' }, { id: 'ntf_1' }, { id: 'ntf_1', rcpt: 'two' }],
    );
  });

  it('is a background push of priority 5 when the message is silent, whatever its priority', () => {
    const { headers, body } = built(makeApnsPush({ message: makeMessage({ silent: true }) }));
    assert.equal(headers['apns-push-type'], 'background');
    assert.equal(headers['apns-priority'], '5');
    assert.deepEqual((body as { aps: unknown }).aps, { 'content-available': 1 });
  });

  it("collapses by the caller's key, hashed when a header cannot carry it", () => {
    assert.equal(collapseIdFor('parcel-1'), 'parcel-1');
    assert.match(collapseIdFor('x'.repeat(65)) ?? '', /^[\w-]{43}$/);
    assert.match(collapseIdFor('päckchen') ?? '', /^[\w-]{43}$/);
    assert.notEqual(collapseIdFor('päckchen'), collapseIdFor('pàckchen'));
  });

  it('merges overrides into aps, headers and the top level', () => {
    const message = withOverrides({
      aps: { alert: { subtitle: 'DHL' }, 'thread-id': 'parcels' },
      headers: { 'apns-priority': '5' },
      extra: [1],
    });
    const { headers, body } = built(makeApnsPush({ message }));
    assert.equal(headers['apns-priority'], '5');
    assert.deepEqual(body, {
      aps: {
        alert: { title: 'Your parcel', body: 'It has shipped.', subtitle: 'DHL' },
        'mutable-content': 1,
        'thread-id': 'parcels',
      },
      extra: [1],
      homing: { id: 'ntf_1' },
    });
  });

  it('refuses overrides that would break a promise or be refused by Apple', () => {
    const refused: readonly Readonly<Record<string, unknown>>[] = [
      { aps: 'text' },
      { homing: {} },
      { headers: 'text' },
      { headers: { 'apns-id': 'x' } },
      { headers: { 'apns-expiration': '0' } },
      { headers: { 'apns-priority': '7' } },
      { headers: { 'apns-priority': 10 } },
      { headers: { 'apns-push-type': 'voip' } },
      { headers: { 'apns-push-type': 'background', 'apns-priority': '10' } },
      { headers: { constructor: '1' } },
      { aps: { badge: -1 } },
      { aps: { badge: '1' } },
      { aps: { sound: { critical: 1 } } },
      { aps: { sound: { critical: 1, name: 'alarm', volume: 2 } } },
      { aps: { sound: { critical: 1, name: 'alarm', pitch: 1 } } },
      { aps: { 'interruption-level': 'urgent' } },
      { aps: { 'relevance-score': 1.5 } },
      { aps: { 'mutable-content': true } },
      { aps: { alert: 7 } },
    ];
    for (const overrides of refused) {
      const { code, detail } = problemOf(withOverrides(overrides));
      assert.equal(code, 'invalid_override');
      assert.match(detail, /overrides\.apns/);
    }
  });

  it('takes what only an override can say, and names the buttons by the ids of the actions', () => {
    const aps = {
      sound: { critical: 1, name: 'alarm', volume: 0.5 },
      'interruption-level': 'critical',
      'relevance-score': 0.9,
      'thread-id': 'orders',
      'some-day': 'unknown to us',
    };
    const actions = [
      { id: 'track', title: 'Track', url: null },
      { id: 'later', title: 'Later', url: null },
    ];
    const overrides = { ...NO_OVERRIDES, apns: { aps } };
    const { body } = built(makeApnsPush({ message: makeMessage({ actions, overrides }) }));
    const sent = (body as { readonly aps: Readonly<Record<string, unknown>> }).aps;
    for (const [name, value] of Object.entries(aps)) assert.deepEqual(sent[name], value);
    assert.equal(sent['category'], 'homing.track+later');
  });

  it('refuses data under reserved keys and names the key', () => {
    for (const key of ['aps', 'homing']) {
      const { code, detail } = problemOf(makeMessage({ data: { [key]: 'x' } }));
      assert.equal(code, 'reserved_data_key');
      assert.match(detail, new RegExp(`"${key}"`));
    }
  });

  it('counts the bytes that it sends and refuses more than 4096', () => {
    const push = makeApnsPush({ rcpt: 'tag', message: makeMessage({ body: 'ü'.repeat(1900) }) });
    const build = buildApnsRequest(push);
    assert(build.kind === 'request');
    assert.equal(measureApnsPayload(push), build.request.body.length);
    const left = 4096 - build.payloadBytes;
    const exact = { ...push, message: makeMessage({ body: 'ü'.repeat(1900) + 'x'.repeat(left) }) };
    assert.equal(buildApnsRequest(exact).kind, 'request');
    const over = makeMessage({ body: 'ü'.repeat(1900) + 'x'.repeat(left + 1) });
    assert.equal(measureApnsPayload({ ...push, message: over }), 4097);
    assert.equal(buildApnsRequest({ ...push, message: over }).kind, 'problem');
  });

  it('keeps a key named __proto__ and content that looks like JSON as they are', () => {
    const data = JSON.parse('{"__proto__":"x","quote":"\\"}}"}') as Record<string, string>;
    const { body } = built(makeApnsPush({ message: makeMessage({ data }), rcpt: '"}' }));
    assert(Object.hasOwn(body as object, '__proto__'));
    assert.equal((body as { quote: string }).quote, '"}}');
  });

  it('escapes a token that is no token, instead of leaving the path', () => {
    const address = { provider: 'apns', environment: 'production', topic: TOPIC } as const;
    const push = makeApnsPush({ address: { ...address, token: '../x?y\ud800' } });
    assert.equal(built(push).path, '/3/device/..%2Fx%3Fy%EF%BF%BD');
  });
});
