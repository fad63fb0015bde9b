import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FCM_SENTINELS } from '../src/index.ts';
import type { FcmDeviceState } from '../src/index.ts';
import { manualClock } from './apns-client.ts';
import {
  FCM_ERROR,
  INSTALLATION_ID,
  INVALID_ARGUMENT,
  errorOf,
  registrationToken,
  startSender,
  violation,
} from './fcm-client.ts';
import { refused } from './http2-client.ts';

const APNS_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.ApnsError';
const DAY_MS = 86_400_000;
const WEEK_SECONDS = 604_800;
const token = registrationToken();

const CAPTURED_BODIES: readonly (readonly [FcmDeviceState, unknown])[] = [
  [
    { kind: 'bad_token', body: 'message' },
    {
      code: 400,
      message: 'The registration token is not a valid FCM registration token',
      status: 'INVALID_ARGUMENT',
      details: [INVALID_ARGUMENT],
    },
  ],
  [
    { kind: 'bad_token', body: 'field_violation' },
    {
      code: 400,
      message: 'Request contains an invalid argument.',
      status: 'INVALID_ARGUMENT',
      details: [INVALID_ARGUMENT, violation('message.token', 'Invalid registration token')],
    },
  ],
  [
    { kind: 'ios_disabled' },
    {
      code: 400,
      message: 'APNs device token is disabled.',
      status: 'INVALID_ARGUMENT',
      details: [INVALID_ARGUMENT, { '@type': APNS_ERROR, statusCode: 410, reason: 'Unregistered' }],
    },
  ],
  [
    { kind: 'unregistered' },
    {
      code: 404,
      message: 'Requested entity was not found.',
      status: 'NOT_FOUND',
      details: [{ '@type': FCM_ERROR, errorCode: 'UNREGISTERED' }],
    },
  ],
  [
    { kind: 'sender_mismatch' },
    {
      code: 403,
      message: 'SenderId mismatch',
      status: 'PERMISSION_DENIED',
      details: [{ '@type': FCM_ERROR, errorCode: 'SENDER_ID_MISMATCH' }],
    },
  ],
];

describe('a registration token', () => {
  for (const [state, body] of CAPTURED_BODIES) {
    it(`is refused with the captured body in the state ${JSON.stringify(state)}`, async () => {
      await using sender = await startSender();
      sender.simulator.devices.set(token, state);
      const reply = await sender.sendTo(token);
      assert.deepEqual(errorOf(reply), body);
    });
  }

  it('over its quota gets 429, with Retry-After if that is set', async () => {
    await using sender = await startSender();
    sender.simulator.devices.set(token, { kind: 'quota', retryAfterSeconds: 30 });
    const reply = await sender.sendTo(token);
    assert.deepEqual([reply.status, reply.headers['retry-after']], [429, '30']);
    assert.match(reply.text, /QUOTA_EXCEEDED/);
    sender.simulator.devices.set(token, { kind: 'quota' });
    assert.equal((await sender.sendTo(token)).headers['retry-after'], undefined);
  });

  it('must be well-formed, and known in validating mode', async () => {
    await using sender = await startSender({ mode: 'validating' });
    for (const bad of ['short', 'with a space in it, and long', token]) {
      assert.match((await sender.sendTo(bad)).text, /is not a valid FCM registration token/);
    }
    sender.simulator.knobs.badTokenBody = 'field_violation';
    assert.match((await sender.sendTo(token)).text, /message\.token/);
    sender.simulator.devices.set(token, { kind: 'live' });
    assert.equal((await sender.sendTo(token)).status, 200);
  });

  it('of an installation that never registered for messaging is UNREGISTERED', async () => {
    await using sender = await startSender({ mode: 'validating' });
    const reply = await sender.send({ message: { fid: INSTALLATION_ID } });
    assert.match(reply.text, /UNREGISTERED/);
    const malformed = await sender.send({ message: { fid: 'x' } });
    assert.equal(malformed.status, 400);
  });

  for (const { prefix, meaning, effect } of FCM_SENTINELS) {
    if (effect.kind === 'fault' && effect.fault.kind === 'slow') continue;
    if (effect.kind === 'fault' && effect.fault.kind === 'silence') continue;
    it(`that begins with ${prefix} means: ${meaning}`, async () => {
      await using sender = await startSender();
      const sentinel = registrationToken(prefix);
      const status = /^\d{3}|answered (\d{3})/.exec(meaning);
      if (status === null) {
        await refused(sender.sendTo(sentinel));
        const entry = sender.simulator.journal.entries().at(-1);
        assert.equal(entry?.accepted, meaning.startsWith('accepted'));
        return;
      }
      const reply = await sender.sendTo(sentinel);
      assert.equal(reply.status, Number(status[1] ?? status[0]));
      const wantsRetryAfter = meaning.includes('with Retry-After');
      assert.equal(reply.headers['retry-after'], wantsRetryAfter ? '30' : undefined);
      const [, code] = /^\d{3} ([A-Z_]+)/.exec(meaning) ?? [];
      if (code !== undefined) assert.ok(reply.text.includes(code), reply.text);
      const again = await sender.sendTo(sentinel);
      const isOnce = effect.kind === 'fault' && effect.times === 'once';
      assert.equal(again.status, isOnce ? 200 : reply.status);
    });
  }
});

describe('a device that FCM stores and collapses for', () => {
  it('gets one message for each collapse key, until its ttl is over', async () => {
    const clock = manualClock();
    await using sender = await startSender({ clock: clock.read });
    const { devices } = sender.simulator;
    devices.setOnline(token, false);
    await sender.sendTo(token, { android: { collapse_key: 'a' }, data: { n: '1' } });
    await sender.sendTo(token, { android: { collapseKey: 'a' }, data: { n: '2' } });
    await sender.sendTo(token, { data: { n: '3' } });
    await sender.sendTo(token, { android: { ttl: '0s' }, data: { n: '4' } });
    await sender.sendTo(token, { android: { ttl: `${WEEK_SECONDS}s` }, data: { n: '5' } });
    assert.equal(devices.view(token).stored.length, 3);
    clock.advance(8 * DAY_MS);
    devices.setOnline(token, true);
    const numbers = devices.view(token).shown.map(({ payload }) => JSON.stringify(payload));
    assert.equal(numbers.length, 2);
    assert.match(numbers.join(), /"n":"2".*"n":"3"/);
  });

  it('shows one notification for each tag', async () => {
    await using sender = await startSender();
    for (const title of ['Shipped', 'Delivered']) {
      await sender.sendTo(token, { android: { notification: { tag: 'parcel-7', title } } });
    }
    const { shown } = sender.simulator.devices.view(token);
    assert.equal(shown.length, 1);
    assert.match(JSON.stringify(shown), /Delivered/);
  });
});
