import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_OVERRIDES, type Message } from '../../src/domain/message.ts';
import type { Push } from '../../src/domain/push.ts';
import {
  buildExpoMessage,
  EXPO_PAYLOAD_BYTES,
  measureExpoPayload,
} from '../../src/providers/expo/payload.ts';
import type { JsonObject } from '../../src/providers/json-object.ts';
import { makeExpoPush, makeMessage } from './pushes.ts';

const NOW = new Date('2026-05-05T10:00:00Z');

function withOverride(expo: JsonObject, fields: Partial<Message> = {}): Message {
  return makeMessage({ ...fields, overrides: { ...NO_OVERRIDES, expo } });
}

function build(fields: Partial<Push>): JsonObject {
  const built = buildExpoMessage(makeExpoPush(fields), NOW);
  assert(built.kind === 'message', JSON.stringify(built));
  return JSON.parse(built.json) as JsonObject;
}

function problemOf(message: Message): readonly [code: string, detail: string] {
  const built = buildExpoMessage(makeExpoPush({ message }), NOW);
  assert(built.kind === 'problem', 'the message was expected to be refused');
  return [built.code, built.detail];
}

describe('the Expo payload', () => {
  it('says everything that a notification can say', () => {
    const push = makeExpoPush({
      rcpt: 'tag-of-sara',
      expiresAt: new Date(NOW.getTime() + 90_500),
      message: makeMessage({
        data: { parcel: '1' },
        url: 'https://example.com/1',
        image: 'https://example.com/1.png',
        actions: [{ id: 'track', title: 'Track', url: null }],
        badge: 2,
        sound: 'default',
      }),
    });
    const built = buildExpoMessage(push, NOW);
    assert(built.kind === 'message');
    assert.deepEqual(JSON.parse(built.json), {
      to: push.address.token,
      ttl: 90,
      title: 'Your parcel',
      body: 'It has shipped.',
      data: {
        parcel: '1',
        homing: {
          id: 'ntf_1',
          push: push.id,
          url: 'https://example.com/1',
          image: 'https://example.com/1.png',
          actions: [{ id: 'track', title: 'Track', url: null }],
          rcpt: 'tag-of-sara',
        },
      },
      badge: 2,
      sound: 'default',
      richContent: { image: 'https://example.com/1.png' },
      priority: 'high',
      mutableContent: true,
      collapseId: push.id,
      tag: push.id,
    });
  });

  it('carries no addressee tag where nothing is bound to a user', () => {
    const { data } = build({}) as { data: { homing: JsonObject } };
    assert(!Object.hasOwn(data.homing, 'rcpt'));
  });

  it('shows nothing when it is silent', () => {
    const silent = build({ message: makeMessage({ silent: true, data: { sync: '1' } }) });
    assert.equal(silent['_contentAvailable'], true);
    assert.equal(silent['priority'], 'normal');
    for (const field of ['title', 'body', 'sound', 'mutableContent']) {
      assert(!Object.hasOwn(silent, field), field);
    }
  });

  it('replaces by the collapse key, on a shared device for each user apart', () => {
    const message = makeMessage({ collapseKey: 'parcel-1' });
    const [alone, shared] = [build({ message }), build({ message, collapseScope: 'sara' })];
    assert.deepEqual([alone['tag'], alone['collapseId']], ['parcel-1', 'parcel-1']);
    assert.deepEqual([shared['tag'], shared['collapseId']], ['sara.parcel-1', 'sara.parcel-1']);
  });

  it('lives no longer than what is left, and four weeks at most', () => {
    assert.equal(build({ expiresAt: new Date(NOW.getTime() - 1) })['ttl'], 0);
    assert.equal(build({ expiresAt: new Date(NOW.getTime() + 1e11) })['ttl'], 2_419_200);
  });

  it('takes over what is overridden', () => {
    const override = { subtitle: 'Parcels', channelId: 'parcels', sound: null, data: { kg: 3 } };
    const built = build({ message: withOverride(override, { data: { parcel: '1' } }) });
    assert.deepEqual(
      [built['subtitle'], built['channelId'], built['sound']],
      ['Parcels', 'parcels', null],
    );
    const { homing: _, ...data } = built['data'] as JsonObject;
    assert.deepEqual(data, { parcel: '1', kg: 3 });
  });

  for (const [field, value] of Object.entries({
    to: 'ExponentPushToken[x]',
    ttl: 1,
    expiration: 1,
    collapseId: 'x',
    tag: 'x',
    mutableContent: false,
    _contentAvailable: true,
    loudness: 11,
    toString: 'x',
  })) {
    it(`does not let anybody override ${field}`, () => {
      const detail = `overrides.expo.${field} cannot be overridden.`;
      assert.deepEqual(problemOf(withOverride({ [field]: value })), ['invalid_override', detail]);
    });
  }

  for (const [field, value] of Object.entries({
    title: 1,
    data: 'x',
    sound: { name: 'default', louder: true },
    badge: -1,
    priority: 'urgent',
    interruptionLevel: 'loud',
    richContent: { image: 'x', video: 'y' },
  })) {
    it(`refuses a wrong ${field} before Expo does`, () => {
      const [code, detail] = problemOf(withOverride({ [field]: value }));
      assert.equal(code, 'invalid_override');
      assert.match(detail, new RegExp(`^overrides\\.expo\\.${field} must be `));
    });
  }

  it('keeps the data key of our SDK to itself', () => {
    for (const message of [
      makeMessage({ data: { homing: 'x' } }),
      withOverride({ data: { homing: { rcpt: 'x' } } }),
    ]) {
      assert.equal(problemOf(message)[0], 'reserved_data_key');
      assert.equal(measureExpoPayload(makeExpoPush({ message })), 0);
    }
  });

  it('is measured as it is sent, and refused from the first byte too many', () => {
    const empty = measureExpoPayload(
      makeExpoPush({ message: makeMessage({ data: { text: '' } }) }),
    );
    const fits = makeMessage({ data: { text: 'x'.repeat(EXPO_PAYLOAD_BYTES - empty) } });
    const push = makeExpoPush({ message: fits });
    assert.equal(measureExpoPayload(push), EXPO_PAYLOAD_BYTES);
    const built = buildExpoMessage(push, NOW);
    assert(built.kind === 'message');
    assert.equal(built.payloadBytes, EXPO_PAYLOAD_BYTES);
    const { to: _to, ttl: _ttl, ...counted } = JSON.parse(built.json) as JsonObject;
    assert.equal(Buffer.byteLength(JSON.stringify(counted)), EXPO_PAYLOAD_BYTES);
    const large = makeMessage({ data: { text: 'x'.repeat(EXPO_PAYLOAD_BYTES - empty + 1) } });
    assert.equal(problemOf(large)[0], 'payload_too_large');
  });
});
