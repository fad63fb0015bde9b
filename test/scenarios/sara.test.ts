import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const NIGHT_MS = 10 * 3_600_000;

/** The story is told in order; each step is what one of the two phones, or the shop, does. */
test('Sara with two phones is reached where she is signed in, and nowhere else', async () => {
  await using network = await startNetwork();
  const { backEnd, clock, apns } = network;
  const [oldPhone, newPhone] = [network.device(), network.device()];
  const [oldToken, firstToken, secondToken] = [apnsToken(), fcmToken(), fcmToken()];

  // On Monday Sara signs in on her old phone, and in the evening on her new one.
  assertAnswered(await oldPhone.register(oldToken, 'sara'), 201);
  const newPhoneFacts = { platform: 'android', label: 'Pixel 8' };
  const enrolled = await newPhone.sync({
    token: firstToken,
    user: { id: 'sara', assertion: await newPhone.assertion('sara') },
    device: { ...newPhoneFacts, app_version: '4.0.0' },
  });
  assertAnswered(enrolled, 201);
  const toSara = () => backEnd.sendToUsers(['sara']);
  assert.deepEqual(await tokensReached(network, toSara), tokens(oldToken, firstToken));

  // Overnight the new phone updates the app, and its token changes.
  clock.advance(NIGHT_MS);
  const device = { ...newPhoneFacts, app_version: '4.1.0' };
  assertAnswered(await newPhone.sync({ token: secondToken, device }), 200);
  assert.deepEqual(await tokensReached(network, toSara), tokens(oldToken, secondToken));

  // The next day she signs out on the old phone only.
  assertAnswered(await oldPhone.signOut(), 204);
  assert.deepEqual(await tokensReached(network, toSara), tokens(secondToken));

  // Later the shop tells both phones of its new opening hours, for which nobody has to be signed
  // in. APNs has learnt meanwhile that the app is gone from the old phone.
  clock.advance(NIGHT_MS);
  apns.devices.set(oldToken.value, { kind: 'unregistered', atMs: clock.now().getTime() });
  const toBothPhones = () =>
    backEnd.send({
      audience: { installations: [oldPhone.id, newPhone.id] },
      content: { title: 'We open at nine' },
    });
  assert.deepEqual(await tokensReached(network, toBothPhones), tokens(secondToken));
  assert.equal((await backEnd.installation(oldPhone.id))['status'], 'retired');
  assert.equal((await backEnd.installation(newPhone.id))['status'], 'active');
  assert.deepEqual(await tokensReached(network, toSara), tokens(secondToken));

  assert.deepEqual(await backEnd.timeline(oldPhone.id), [
    'The installation was seen for the first time.',
    `Token ${fingerprint(oldToken)} was attached.`,
    'User sara signed in.',
    'Accepted by APNs. The owner of the device changed after it was accepted.',
    'Accepted by APNs. The owner of the device changed after it was accepted.',
    'User sara signed out.',
    `Token ${fingerprint(oldToken)} was retired by the provider: Unregistered.`,
    'Refused by APNs: the token is not valid any more (Unregistered).',
  ]);
  assert.deepEqual(await backEnd.timeline(newPhone.id), [
    'The installation was seen for the first time.',
    `Token ${fingerprint(firstToken)} was attached.`,
    'User sara signed in.',
    'Accepted by FCM.',
    `Token ${fingerprint(firstToken)} was replaced by token ${fingerprint(secondToken)}.`,
    'The app was updated: app version 4.1.0.',
    'Accepted by FCM.',
    'Accepted by FCM.',
    'Accepted by FCM.',
    'Accepted by FCM.',
  ]);
});

test('a rejection of the replaced token that comes late leaves the fresh token alone', async () => {
  await using network = await startNetwork();
  const { backEnd, fcm } = network;
  const phone = network.device();
  const [stale, fresh] = [fcmToken(), fcmToken()];
  assertAnswered(await phone.register(stale, 'sara'), 201);
  fcm.devices.set(stale.value, { kind: 'unregistered' });

  // The push to the stale token is under way while the phone reports its fresh one.
  using hold = fcm.faults.hold({ token: stale.value });
  await backEnd.sendToUsers(['sara']);
  await hold.arrived();
  assertAnswered(await phone.sync({ token: fresh }), 200);
  hold.release();
  await network.drain();

  assert.equal((await backEnd.installation(phone.id))['status'], 'active');
  const reached = await tokensReached(network, () => backEnd.sendToUsers(['sara']));
  assert.deepEqual(reached, tokens(fresh));
});
