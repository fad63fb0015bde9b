import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApnsKey, startApnsSimulator } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, Device, fcmToken } from '../device.ts';
import { startNetwork, TEAM, TOPIC } from '../network.ts';

/** Beyond what a lane waits at most before it tries again. */
const LONGEST_PAUSE_MS = 31_000;
const OUTAGE_MS = 600_000;
const DEADLINE_MS = 20_000;

test('work for a provider that cannot be reached waits, and goes out when it is back', async () => {
  await using network = await startNetwork();
  // An app with a key of its own, so that APNs can come back under the same address knowing it.
  const key = createApnsKey(TEAM);
  const { teamId, keyId, privateKeyPem } = key;
  const ownKey = { teamId, keyId, privateKeyPem, topics: [TOPIC], environment: 'both' };
  const app = await network.provision({ credentials: { ...network.credentials, apns: ownKey } });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const [iphone, pixel] = [0, 1].map(() => new Device(network.url, app, network.issuer));
  assert.ok(iphone !== undefined && pixel !== undefined);
  const token = apnsToken();
  assertAnswered(await iphone.register(token, 'sara'), 201);
  assertAnswered(await pixel.register(fcmToken(), 'sara'), 201);
  const port = Number(new URL(network.apns.url).port);
  await network.apns[Symbol.asyncDispose]();

  const id = await backEnd.sendToUsers(['sara']);
  await network.drain();
  for (let outMs = 0; outMs < OUTAGE_MS; outMs += LONGEST_PAUSE_MS) {
    network.clock.advance(LONGEST_PAUSE_MS);
    await network.drain();
  }
  const waiting = await backEnd.report(id);
  assertConserved(waiting);
  assert.equal(waiting['counts']?.['accepted'], 1, 'FCM is not affected');
  assert.equal(waiting['counts']?.['pending'], 1, 'no attempt is burnt');

  await using apns = await startApnsSimulator({
    environment: 'production',
    mode: 'accept_all',
    tls: await network.authority.issue(['127.0.0.1', 'localhost']),
    port,
    keys: [key],
    topics: [TOPIC],
    clock: () => network.clock.now().getTime(),
  });
  network.clock.advance(LONGEST_PAUSE_MS);
  // Connections have a back-off of their own, in real time, so the next attempt may still be early.
  await apns.journal.waitFor((entry) => entry.accepted, { timeoutMs: DEADLINE_MS });
  await network.drain();

  const finished = await backEnd.report(id);
  assertConserved(finished);
  assert.equal(finished['counts']?.['accepted'], 2);
  assert.equal(finished['possible_duplicates'], 0);
  assert.equal(apns.devices.view(token.value).shown.length, 1);
  const attempts = (await backEnd.deliveries(id)).map((delivery) => delivery['attempts']);
  assert.deepEqual(attempts, [1, 1]);
});
