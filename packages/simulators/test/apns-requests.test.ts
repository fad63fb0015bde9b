import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutgoingHttpHeaders } from 'node:http2';
import {
  TOPIC,
  assertRefused,
  connectTo,
  deviceToken,
  providerToken,
  push,
  startApns,
} from './apns-client.ts';
import { jsonOf } from './http2-client.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MAX_PAYLOAD_BYTES = 4096;
const MAX_VOIP_BYTES = 5120;

interface BadRequest {
  readonly what: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly reason: string;
}

function payloadOf(bytes: number): string {
  const frame = JSON.stringify({ aps: { alert: '' } });
  return JSON.stringify({ aps: { alert: 'x'.repeat(bytes - frame.length) } });
}

const voip = { 'apns-push-type': 'voip', 'apns-topic': `${TOPIC}.voip` };

const BAD_REQUESTS: readonly BadRequest[] = [
  {
    what: 'a repeated header',
    headers: { 'apns-collapse-id': ['one', 'two'] },
    status: 400,
    reason: 'DuplicateHeaders',
  },
  {
    what: 'an apns-id that is no UUID',
    headers: { 'apns-id': 'parcel-1' },
    status: 400,
    reason: 'BadMessageId',
  },
  {
    what: 'PUT',
    headers: { ':method': 'PUT' },
    status: 405,
    reason: 'MethodNotAllowed',
  },
  {
    what: 'a missing topic',
    headers: { 'apns-topic': undefined },
    status: 400,
    reason: 'MissingTopic',
  },
  {
    what: 'a collapse id of 65 bytes',
    headers: { 'apns-collapse-id': 'x'.repeat(65) },
    status: 400,
    reason: 'BadCollapseId',
  },
  {
    what: 'a priority other than 1, 5 and 10',
    headers: { 'apns-priority': '7' },
    status: 400,
    reason: 'BadPriority',
  },
  {
    what: 'a background push with priority 10',
    headers: { 'apns-push-type': 'background', 'apns-priority': '10' },
    status: 400,
    reason: 'BadPriority',
  },
  {
    what: 'a background push without a priority, which means 10',
    headers: { 'apns-push-type': 'background' },
    status: 400,
    reason: 'BadPriority',
  },
  {
    what: 'an unknown push type',
    headers: { 'apns-push-type': 'carrier-pigeon' },
    status: 400,
    reason: 'InvalidPushType',
  },
  {
    what: 'a path that is not that of a device',
    headers: { ':path': '/3/devices/00' },
    status: 404,
    reason: 'BadPath',
  },
  {
    what: 'a path without a token',
    headers: { ':path': '/3/device/' },
    status: 400,
    reason: 'MissingDeviceToken',
  },
  {
    what: 'a token that is not hexadecimal',
    headers: { ':path': `/3/device/${'xy'.repeat(32)}` },
    status: 400,
    reason: 'BadDeviceToken',
  },
  {
    what: 'a token with an odd number of digits',
    headers: { ':path': `/3/device/${'a'.repeat(63)}` },
    status: 400,
    reason: 'BadDeviceToken',
  },
  {
    what: 'an expiration that is no number',
    headers: { 'apns-expiration': 'tomorrow' },
    status: 400,
    reason: 'BadExpirationDate',
  },
  { what: 'an empty body', headers: {}, body: '', status: 400, reason: 'PayloadEmpty' },
  {
    what: 'a body that is no JSON',
    headers: {},
    body: 'hello',
    status: 400,
    reason: 'PayloadEmpty',
  },
  {
    what: 'an alert of 4097 bytes',
    headers: {},
    body: payloadOf(MAX_PAYLOAD_BYTES + 1),
    status: 413,
    reason: 'PayloadTooLarge',
  },
  {
    what: 'a voip push of 5121 bytes',
    headers: voip,
    body: payloadOf(MAX_VOIP_BYTES + 1),
    status: 413,
    reason: 'PayloadTooLarge',
  },
  {
    what: 'a topic that cannot be a bundle id',
    headers: { 'apns-topic': 'not a topic' },
    status: 400,
    reason: 'BadTopic',
  },
  {
    what: 'a voip push to the plain topic',
    headers: { 'apns-push-type': 'voip' },
    status: 400,
    reason: 'BadTopic',
  },
  {
    what: 'an alert to the voip topic',
    headers: { 'apns-topic': `${TOPIC}.voip` },
    status: 400,
    reason: 'BadTopic',
  },
  {
    what: "another team's topic",
    headers: { 'apns-topic': 'com.example.stranger' },
    status: 400,
    reason: 'TopicDisallowed',
  },
  {
    what: 'an MDM push with a provider token',
    headers: { 'apns-push-type': 'mdm' },
    status: 400,
    reason: 'TopicDisallowed',
  },
];

// Each pair violates two rules; the first named is the one that is reported.
const PRECEDENCE: readonly (readonly [string, OutgoingHttpHeaders, string | undefined])[] = [
  ['BadMessageId', { 'apns-id': 'x', ':method': 'PUT' }, undefined],
  ['MethodNotAllowed', { ':method': 'PUT', 'apns-topic': undefined }, undefined],
  ['MissingTopic', { 'apns-topic': undefined, 'apns-collapse-id': 'x'.repeat(65) }, undefined],
  ['BadCollapseId', { 'apns-collapse-id': 'x'.repeat(65), 'apns-priority': '7' }, undefined],
  ['BadPriority', { 'apns-priority': '7', 'apns-push-type': 'pigeon' }, undefined],
  ['InvalidPushType', { 'apns-push-type': 'pigeon', ':path': '/' }, undefined],
  ['BadPath', { ':path': '/', 'apns-expiration': 'x' }, undefined],
  ['BadExpirationDate', { 'apns-expiration': 'x', authorization: undefined }, undefined],
  ['MissingProviderToken', { authorization: undefined }, ''],
];

describe('a request to APNs', () => {
  for (const { what, headers, body, status, reason } of BAD_REQUESTS) {
    it(`is refused with ${status} ${reason} for ${what}`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      assertRefused(await push(client, headers, body), status, reason);
      assert.equal(simulator.journal.counters.accepted, 0);
    });
  }

  for (const [reason, headers, body] of PRECEDENCE) {
    it(`is refused with ${reason} before what comes later in the order of checks`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      assert.equal(jsonOf(await push(client, headers, body)).reason, reason);
    });
  }

  it('has its credentials judged before its headers when that knob is turned', async () => {
    await using simulator = await startApns({ knobs: { authenticatesFirst: true } });
    await using client = await connectTo(simulator);
    const reply = await push(client, { authorization: undefined, 'apns-id': 'x' });
    assertRefused(reply, 403, 'MissingProviderToken');
  });

  it('is accepted at exactly 4096 bytes, and for voip at exactly 5120', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    assert.equal((await push(client, {}, payloadOf(MAX_PAYLOAD_BYTES))).status, 200);
    assert.equal((await push(client, voip, payloadOf(MAX_VOIP_BYTES))).status, 200);
  });

  it('is accepted for every push type with its topic', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const suffixes = {
      alert: '',
      background: '',
      voip: '.voip',
      complication: '.complication',
      fileprovider: '.pushkit.fileprovider',
      liveactivity: '.push-type.liveactivity',
      location: '.location-query',
      pushtotalk: '.voip-ptt',
      widgets: '.push-type.widgets',
      controls: '.push-type.controls',
    };
    for (const [type, suffix] of Object.entries(suffixes)) {
      const reply = await push(client, {
        'apns-push-type': type,
        'apns-topic': TOPIC + suffix,
        'apns-priority': '5',
      });
      assert.equal(reply.status, 200, type);
    }
  });

  it('is answered with an empty 200 and its own apns-id in lower case', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const apnsId = '123E4567-E89B-12D3-A456-426655440000';
    const reply = await push(client, { 'apns-id': apnsId });
    assert.deepEqual([reply.status, reply.text], [200, '']);
    assert.equal(reply.headers['apns-id'], apnsId.toLowerCase());
    assert.equal(reply.headers['apns-unique-id'], undefined);
  });

  it('gets an apns-id when it brings none, on refusals as well', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    for (const headers of [{}, { 'apns-priority': '7' }, { 'apns-id': 'broken' }]) {
      assert.match(String((await push(client, headers)).headers['apns-id']), UUID);
    }
  });

  it('gets an apns-unique-id from the sandbox', async () => {
    await using simulator = await startApns({ environment: 'sandbox' });
    await using client = await connectTo(simulator);
    assert.match(String((await push(client)).headers['apns-unique-id']), UUID);
  });

  it('is understood with a scheme in any case and a token in capitals', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    const reply = await push(client, {
      authorization: `Bearer ${providerToken()}`,
      ':path': `/3/device/${token.toUpperCase()}`,
    });
    assert.equal(reply.status, 200);
    assert.equal(simulator.journal.entries()[0]?.token, token);
  });
});
