import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../answered.ts';
import { apnsToken, type Device } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function statusOf(network: Network, phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['status'];
}

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

test('a token that was confirmed after the push keeps its place, wherever it is said to belong', async () => {
  await using network = await startNetwork();
  const [phone, token] = [network.device(), apnsToken()];
  assertAnswered(await phone.register(token, 'sara'), 201);
  network.apns.devices.set(token.value, { kind: 'other_topic' });
  using hold = network.apns.faults.hold({ token: token.value }, 'answer');
  await network.backEnd.sendToUsers(['sara']);
  await hold.arrived();
  network.clock.advance(1_000);
  assertAnswered(await phone.sync({ token }), 200);
  network.apns.devices.set(token.value, { kind: 'live' });
  hold.release();
  await network.drain();
  assert.equal((await network.backEnd.installation(phone.id))['status'], 'active');
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
