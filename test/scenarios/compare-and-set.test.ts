import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../answered.ts';
import { apnsToken, fcmToken, type Device } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function statusOf(network: Network, phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['status'];
}

test('S67: a 410 that is older than a registration during the push changes nothing', async () => {
  await using network = await startNetwork();
  const token = apnsToken();
  const phone = network.device();
  assertAnswered(await phone.register(token, 'anna'), 201);
  network.clock.advance(24 * HOUR_MS);
  using hold = network.apns.faults.hold();
  await network.backEnd.sendToUsers(['anna']);
  const drained = network.drain();
  await hold.arrived();

  const atMs = network.clock.now().getTime();
  network.clock.advance(1_000);
  assertAnswered(await phone.sync({ token }), 200);
  network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  hold.release();
  await drained;

  assert.equal(await statusOf(network, phone), 'active');
  network.apns.devices.set(token.value, { kind: 'live' });
  const send = () => network.backEnd.sendToUsers(['anna']);
  assert.deepEqual(await tokensReached(network, send), tokens(token));
});

test('S70: FCM gives no time, so its word retires the holder that was pushed to and no other', async () => {
  await using network = await startNetwork();
  const [gone, fresh, kept] = [fcmToken(), fcmToken(), fcmToken()];
  const [still, moved] = [network.device(), network.device()];
  assertAnswered(await still.register(gone, 'anna'), 201);
  assertAnswered(await moved.register(kept, 'anna'), 201);
  for (const token of [gone, kept]) network.fcm.devices.set(token.value, { kind: 'unregistered' });
  using hold = network.fcm.faults.hold();
  await network.backEnd.sendToUsers(['anna']);
  const drained = network.drain();
  await hold.arrived(2);
  assertAnswered(await moved.sync({ token: fresh }), 200);
  hold.release();
  await drained;

  assert.equal(await statusOf(network, still), 'retired');
  assert.equal(await statusOf(network, moved), 'active');
  const send = () => network.backEnd.sendToUsers(['anna']);
  assert.deepEqual(await tokensReached(network, send), tokens(fresh));
});

test('S72: of many dead tokens exactly those stay in use that were registered again', async () => {
  await using network = await startNetwork();
  const phones = Array.from({ length: 40 }, () => ({
    phone: network.device(),
    token: apnsToken(),
  }));
  await Promise.all(phones.map(({ phone, token }) => phone.register(token, 'anna')));
  network.clock.advance(24 * HOUR_MS);
  // APNs opens a connection for more than one push at a time once it has taken the first.
  await tokensReached(network, () => network.backEnd.sendToUsers(['anna']));
  const atMs = network.clock.now().getTime();
  for (const { token } of phones)
    network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  using hold = network.apns.faults.hold();
  await network.backEnd.sendToUsers(['anna']);
  const drained = network.drain();
  await hold.arrived(phones.length);

  network.clock.advance(1_000);
  const returning = phones.filter((_, index) => index % 2 === 0);
  const answers = returning.map(({ phone, token }) => phone.sync({ token }));
  hold.release();
  for (const answer of await Promise.all(answers)) assertAnswered(answer, 200);
  await drained;

  const statuses = await Promise.all(phones.map(({ phone }) => statusOf(network, phone)));
  assert.deepEqual(
    statuses,
    phones.map((_, index) => (index % 2 === 0 ? 'active' : 'retired')),
  );
});

test('a token is put aside when a check-in without a trace may have confirmed it', async () => {
  await using network = await startNetwork();
  const token = apnsToken();
  const phone = network.device();
  const packet = { seq: 1, token };
  assertAnswered(await phone.sync(packet), 201);
  network.clock.advance(HOUR_MS);
  const atMs = network.clock.now().getTime();
  network.clock.advance(HOUR_MS);
  // Too soon after the last contact to be written, and yet later than what APNs speaks of.
  assertAnswered(await phone.sync(packet), 200);
  network.clock.advance(HOUR_MS);
  network.apns.devices.set(token.value, { kind: 'unregistered', atMs });

  const send = () =>
    network.backEnd.send({ audience: { installations: [phone.id] }, content: { title: 'Hello' } });
  assert.deepEqual(await tokensReached(network, send), []);
  assert.equal(await statusOf(network, phone), 'quarantined');

  // Nobody else gets the address without a proof, and the phone's next word brings it back.
  assertAnswered(await network.device().register(token), 409);
  network.apns.devices.set(token.value, { kind: 'live' });
  const checkIn = async () => {
    const answer = await phone.sync(packet);
    assert.equal(answer.body['installation']?.['token']?.['status'], 'live');
  };
  assert.deepEqual(await tokensReached(network, checkIn), tokens(token));
  const timeline = await network.backEnd.timeline(phone.id);
  assert.ok(timeline.some((line) => line.endsWith('until the device confirms it: Unregistered.')));
});

test('a token is retired when every check-in after its death would have been written', async () => {
  await using network = await startNetwork();
  const token = apnsToken();
  const phone = network.device();
  assertAnswered(await phone.register(token, 'anna'), 201);
  network.clock.advance(LIMITS.checkInMs + MINUTE_MS);
  const atMs = network.clock.now().getTime();
  network.clock.advance(24 * HOUR_MS);
  network.apns.devices.set(token.value, { kind: 'unregistered', atMs });

  const send = () => network.backEnd.sendToUsers(['anna']);
  assert.deepEqual(await tokensReached(network, send), []);
  assert.equal(await statusOf(network, phone), 'retired');
  // Its address is free.
  assertAnswered(await network.device().register(token), 201);
});
