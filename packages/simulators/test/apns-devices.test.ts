import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APNS_SENTINELS } from '../src/index.ts';
import type { ApnsDeviceState } from '../src/index.ts';
import {
  PAYLOAD,
  TOPIC,
  alertHeaders,
  assertRefused,
  connectTo,
  deviceToken,
  manualClock,
  push,
  pushTo,
  startApns,
} from './apns-client.ts';
import { jsonOf } from './http2-client.ts';

const DAY_MS = 86_400_000;

const REFUSING_STATES: readonly (readonly [ApnsDeviceState, number, string])[] = [
  [{ kind: 'other_environment' }, 400, 'BadDeviceToken'],
  [{ kind: 'other_topic' }, 400, 'DeviceTokenNotForTopic'],
  [{ kind: 'live', topic: 'com.example.other' }, 400, 'DeviceTokenNotForTopic'],
  [{ kind: 'unregistered', atMs: 1_454_948_015_990 }, 410, 'Unregistered'],
  [{ kind: 'expired', atMs: 1_454_948_015_990 }, 410, 'ExpiredToken'],
  [{ kind: 'throttled' }, 429, 'TooManyRequests'],
];

describe('a device token of APNs', () => {
  for (const [state, status, reason] of REFUSING_STATES) {
    it(`is refused with ${status} ${reason} in the state ${JSON.stringify(state)}`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      const token = deviceToken();
      simulator.devices.set(token.toUpperCase(), state);
      const reply = await pushTo(client, token);
      assertRefused(reply, status, reason);
      const { timestamp } = jsonOf(reply);
      assert.equal(timestamp, 'atMs' in state ? state.atMs : undefined);
    });
  }

  it('is live until the time at which it becomes unregistered', async () => {
    const clock = manualClock();
    await using simulator = await startApns({ clock: clock.read });
    await using client = await connectTo(simulator);
    const token = deviceToken();
    simulator.devices.set(token, { kind: 'unregistered', atMs: clock.read() + 1000 });
    assert.equal((await pushTo(client, token)).status, 200);
    clock.advance(1000);
    assertRefused(await pushTo(client, token), 410, 'Unregistered');
  });

  it('counts as of the other environment in validating mode until it is made known', async () => {
    await using simulator = await startApns({ mode: 'validating' });
    await using client = await connectTo(simulator);
    const token = deviceToken();
    assertRefused(await pushTo(client, token), 400, 'BadDeviceToken');
    simulator.devices.set(token, { kind: 'live', topic: TOPIC });
    assert.equal((await pushTo(client, token)).status, 200);
  });

  it('brings its state along when it begins with a sentinel', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    for (const { prefix, meaning, effect } of APNS_SENTINELS) {
      if (effect.kind !== 'state') continue;
      const { status, text } = await pushTo(client, deviceToken(prefix));
      assert.ok(meaning.startsWith(`${status} ${JSON.parse(text).reason}`), meaning);
    }
  });

  it('can claim to have been unregistered long before any registration', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const { timestamp } = jsonOf(await pushTo(client, deviceToken('01d00410')));
    assert.equal(timestamp, Date.UTC(2020, 0, 1));
  });

  it('loses its sentinel when its state is set', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken('dead0410');
    simulator.devices.set(token, { kind: 'live' });
    assert.equal((await pushTo(client, token)).status, 200);
  });
});

describe('a device that APNs stores and collapses for', () => {
  it('shows one notification for each collapse id, the newest', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    const collapsing = { ...alertHeaders(token), 'apns-collapse-id': 'parcel-7' };
    await push(client, collapsing, PAYLOAD);
    await pushTo(client, token);
    await push(client, collapsing, JSON.stringify({ aps: { alert: 'Delivered.' } }));
    const { shown } = simulator.devices.view(token);
    assert.deepEqual(
      shown.map(({ payload }) => payload),
      [JSON.parse(PAYLOAD), { aps: { alert: 'Delivered.' } }],
    );
  });

  it('gets only the newest push of the app when it is back', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    simulator.devices.setOnline(token, false);
    const sent = [await pushTo(client, token), await pushTo(client, token)];
    assert.equal(simulator.devices.view(token).shown.length, 0);
    simulator.devices.setOnline(token, true);
    const { shown, stored } = simulator.devices.view(token);
    assert.deepEqual([shown.map(({ id }) => id), stored], [[sent[1]?.headers['apns-id']], []]);
  });

  it('misses a push with expiration 0, and one that expires before it is back', async () => {
    const clock = manualClock();
    await using simulator = await startApns({ clock: clock.read });
    await using client = await connectTo(simulator);
    const [single, brief, usual] = [deviceToken(), deviceToken(), deviceToken()];
    for (const token of [single, brief, usual]) simulator.devices.setOnline(token, false);
    const soon = String(Math.floor(clock.read() / 1000) + 60);
    await push(client, { ...alertHeaders(single), 'apns-expiration': '0' });
    await push(client, { ...alertHeaders(brief), 'apns-expiration': soon });
    await push(client, alertHeaders(usual));
    assert.equal(simulator.devices.view(single).stored.length, 0);
    assert.equal(simulator.devices.view(brief).stored.length, 1);
    clock.advance(DAY_MS);
    for (const token of [single, brief, usual]) simulator.devices.setOnline(token, true);
    assert.equal(simulator.devices.view(brief).shown.length, 0);
    assert.equal(simulator.devices.view(usual).shown.length, 1);
  });
});
