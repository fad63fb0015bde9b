import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_OVERRIDES, type Message } from '../../src/domain/message.ts';
import type { Push } from '../../src/domain/push.ts';
import { buildFcmRequest, measureFcmPayload } from '../../src/providers/fcm/payload.ts';
import { LIVE_FCM_TOKEN, makeFcmPush, makeMessage } from './pushes.ts';

const NOW = new Date('2026-05-05T10:00:00Z');
const IN_AN_HOUR = new Date('2026-05-05T11:00:00Z');

function built(push: Push, now: Date = NOW): Record<string, unknown> {
  const build = buildFcmRequest(push, now);
  assert(build.kind === 'request', JSON.stringify(build));
  return (JSON.parse(build.body.toString()) as { message: Record<string, unknown> }).message;
}

function withOverrides(fcm: Readonly<Record<string, unknown>>): Message {
  return makeMessage({ overrides: { ...NO_OVERRIDES, fcm } });
}

function ttlAt(now: string): unknown {
  const { android } = built(makeFcmPush({ expiresAt: IN_AN_HOUR }), new Date(now));
  return (android as { ttl: unknown }).ttl;
}

function problemCode(message: Message): string {
  const build = buildFcmRequest(makeFcmPush({ message }), NOW);
  assert(build.kind === 'problem', 'the message was expected to be refused');
  return build.code;
}

describe('an FCM request', () => {
  it('is a notification where the system has to draw it', () => {
    const message = makeMessage({
      url: 'https://example.com/1',
      image: 'https://example.com/1.png',
      data: { parcel: '1' },
      badge: 2,
    });
    const push = makeFcmPush({ message, rcpt: 'tag', expiresAt: IN_AN_HOUR });
    assert.deepEqual(built(push), {
      token: LIVE_FCM_TOKEN,
      notification: {
        title: 'Your parcel',
        body: 'It has shipped.',
        image: 'https://example.com/1.png',
      },
      data: {
        parcel: '1',
        homing_id: push.id,
        homing_notification: 'ntf_1',
        homing_rcpt: 'tag',
        homing_url: 'https://example.com/1',
      },
      android: {
        priority: 'HIGH',
        ttl: '3600s',
        notification: { tag: push.id, notification_count: 2 },
      },
      apns: {
        headers: {
          'apns-push-type': 'alert',
          'apns-priority': '10',
          'apns-collapse-id': push.id,
          'apns-expiration': '1777978800',
        },
        payload: { aps: { 'mutable-content': 1, badge: 2 } },
      },
      webpush: { fcm_options: { link: 'https://example.com/1' } },
    });
  });

  it('leads a browser to the address that is https, and an iPhone to the buttons', () => {
    const actions = [{ id: 'track', title: 'Track', url: null }];
    const message = makeMessage({ url: 'shop://orders/1', actions });
    const { webpush, apns } = built(makeFcmPush({ message, expiresAt: IN_AN_HOUR }));
    assert.equal(webpush, undefined);
    const { payload } = apns as { readonly payload: { readonly aps: { category: string } } };
    assert.equal(payload.aps.category, 'homing.track');
  });

  it('is data alone where our SDK draws it, and yet an alert for an iPhone', () => {
    const push = makeFcmPush({ drawnBySdk: true, expiresAt: IN_AN_HOUR });
    const { notification, android, data, apns } = built(push);
    assert.equal(notification, undefined);
    assert.deepEqual(android, { priority: 'HIGH', ttl: '3600s' });
    assert.deepEqual(data, {
      homing_id: push.id,
      homing_notification: 'ntf_1',
      homing_title: 'Your parcel',
      homing_body: 'It has shipped.',
      homing_tag: push.id,
    });
    assert.deepEqual((apns as { payload: unknown }).payload, {
      aps: { 'mutable-content': 1, alert: { title: 'Your parcel', body: 'It has shipped.' } },
    });
  });

  it('shows nothing for a silent message', () => {
    for (const drawnBySdk of [false, true]) {
      const push = makeFcmPush({ message: makeMessage({ silent: true }), drawnBySdk });
      const { notification, data, apns } = built(push);
      assert.equal(notification, undefined);
      assert.deepEqual(Object.keys(data as object), ['homing_id', 'homing_notification']);
      const { headers, payload } = apns as { headers: Record<string, string>; payload: unknown };
      assert.equal(headers['apns-push-type'], 'background');
      assert.equal(headers['apns-priority'], '5');
      assert.deepEqual(payload, { aps: { 'content-available': 1 } });
    }
  });

  it("has a collapse key only if the caller gave one, which is then the drawer's tag too", () => {
    const { android } = built(makeFcmPush({ message: makeMessage({ collapseKey: 'parcel-1' }) }));
    const { collapse_key: collapseKey, notification } = android as Record<string, unknown>;
    assert.equal(collapseKey, 'parcel-1');
    assert.deepEqual(notification, { tag: 'parcel-1' });
  });

  it('shortens the time to live by the age, between nothing and four weeks', () => {
    assert.equal(ttlAt('2026-05-05T10:59:00.500Z'), '59s');
    assert.equal(ttlAt('2026-05-05T12:00:00Z'), '0s');
    assert.equal(ttlAt('2026-01-01T00:00:00Z'), '2419200s');
  });

  it('fills one message in for every target, tag and kind of client', () => {
    const message = makeMessage();
    const fid = { provider: 'fcm', kind: 'fid', project: 'p', token: 'fid"1' } as const;
    const first = makeFcmPush({ message, rcpt: 'one' });
    const pushes = [first, makeFcmPush({ message, address: fid }), { ...first, drawnBySdk: true }];
    const bodies = pushes.map((push) => built(push));
    const data = bodies.map((body) => body['data'] as Record<string, string>);
    assert.deepEqual(
      data.map(({ homing_rcpt: rcpt }) => rcpt),
      ['one', undefined, 'one'],
    );
    assert.deepEqual(
      data.map(({ homing_id: id }) => id),
      pushes.map(({ id }) => id),
    );
    assert.deepEqual(
      bodies.map(({ token, fid: installation, notification }) => [
        token === LIVE_FCM_TOKEN,
        installation,
        notification !== undefined,
      ]),
      [
        [true, undefined, true],
        [false, 'fid"1', true],
        [true, undefined, false],
      ],
    );
  });

  it('merges overrides into the message', () => {
    const {
      android,
      data,
      fcm_options: options,
    } = built(
      makeFcmPush({
        message: withOverrides({
          android: { notification: { channel_id: 'parcels' }, direct_boot_ok: true },
          data: { extra: 'x' },
          fcm_options: { analytics_label: 'parcels' },
        }),
      }),
    );
    const { notification, direct_boot_ok: directBoot } = android as Record<string, object>;
    assert.deepEqual(Object.keys(notification ?? {}), ['tag', 'channel_id']);
    assert.equal(directBoot, true);
    assert.equal((data as Record<string, string>)['extra'], 'x');
    assert.deepEqual(options, { analytics_label: 'parcels' });
  });

  it('refuses overrides of targets, of promises and of unknown fields', () => {
    const refused: readonly Readonly<Record<string, unknown>>[] = [
      { token: 'x' },
      { fid: 'x' },
      { topic: 'x' },
      { condition: 'x' },
      { name: 'x' },
      { prioriti: {} },
      { android: 'x' },
      { android: { ttl: '1s' } },
      { android: { notification: { tag: 'x' } } },
      { apns: { headers: { 'apns-expiration': '0' } } },
      { apns: { headers: { 'apns-collapse-id': 'x' } } },
      { data: { number: 1 } },
    ];
    for (const overrides of refused) {
      assert.equal(problemCode(withOverrides(overrides)), 'invalid_override');
    }
    assert.equal(problemCode(withOverrides({ data: { homing_id: 'x' } })), 'reserved_data_key');
  });

  it('refuses data under keys that FCM or Homing keeps for itself', () => {
    for (const key of ['from', 'message_type', 'google.x', 'gcm.x', 'homing_id']) {
      assert.equal(problemCode(makeMessage({ data: { [key]: 'x' } })), 'reserved_data_key');
    }
    assert.equal(
      buildFcmRequest(makeFcmPush({ message: makeMessage({ data: { fromage: 'x' } }) }), NOW).kind,
      'request',
    );
  });

  it('counts the larger of what Android and an iPhone get, without target and options', () => {
    const push = makeFcmPush({ message: makeMessage({ data: { text: 'ü'.repeat(1000) } }) });
    const address = { provider: 'fcm', kind: 'token', project: 'p' } as const;
    const longToken = { ...push, address: { ...address, token: 'x'.repeat(4000) } };
    const bytes = measureFcmPayload(push);
    assert.equal(measureFcmPayload(longToken), bytes);
    const android = built(push);
    const { notification, data } = android;
    const drawer = (android['android'] as { notification: unknown }).notification;
    const counted = JSON.stringify({ notification, data, android: drawer });
    assert.equal(bytes, Buffer.byteLength(counted));

    const left = 4096 - bytes;
    const text = 'ü'.repeat(1000) + 'x'.repeat(left);
    const exact = { ...push, message: makeMessage({ data: { text } }) };
    assert.equal(buildFcmRequest(exact, NOW).kind, 'request');
    assert.equal(problemCode(makeMessage({ data: { text: `${text}x` } })), 'payload_too_large');
  });
});
