import assert from 'node:assert/strict';
import { createLogger, LIMITS } from '@homing/server';
import { apnsToken, fcmToken } from '../device.ts';
import { openScenarios } from './scenario.ts';
import { answered } from './scene.ts';

/** Group D: what providers say about tokens, late, and about everything at once. */
// Credentials are refused here on purpose, which the log would report.
const scenario = await openScenarios({ logger: createLogger('silent') });

const MINUTE_MS = 60_000;

scenario('S67 a 410 that is older than the registration it meets', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const { apns, clock } = scene.network;
  using hold = apns.faults.hold({ token: token.value }, 'answer');
  await scene.later();
  const atMs = clock.now().getTime();
  apns.devices.set(token.value, { kind: 'unregistered', atMs });
  await scene.backEnd.sendToUsers(['anna']);
  await hold.arrived();
  await scene.later();
  await answered(phone.token(token, 3)(), 200);
  hold.release();
  await scene.network.drain();
  const [push] = scene.network.journal.entries({ token: token.value });
  assert.deepEqual(push?.answer, { status: 410, reason: 'Unregistered' });
  assert.equal((await scene.hold(token))?.['id'], phone.id);
  apns.devices.set(token.value, { kind: 'live' });
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token] } });
});

scenario('S70 a death without a time counts when nothing has changed since', async (scene) => {
  const { phone, token } = await scene.signedIn('anna', fcmToken());
  const { phone: other, token: kept } = await scene.signedIn('anna', fcmToken());
  scene.network.fcm.devices.set(token.value, { kind: 'unregistered' });
  await scene.later();
  await scene.backEnd.sendToUsers(['anna']);
  await scene.network.drain();
  assert.equal(await scene.hold(token), null);
  assert.equal((await scene.backEnd.installation(phone.id))['status'], 'retired');
  assert.equal((await scene.hold(kept))?.['id'], other.id);
  await scene.assertAtRest({ recv: { anna: [kept] } });
});

for (const change of ['another token', 'the same token again', 'another user'] as const) {
  scenario(`S70 a death without a time is ignored after ${change}`, async (scene) => {
    const { phone, token: old } = await scene.signedIn('anna', fcmToken());
    const { fcm } = scene.network;
    fcm.devices.set(old.value, { kind: 'unregistered' });
    using hold = fcm.faults.hold({ token: old.value }, 'answer');
    await scene.backEnd.sendToUsers(['anna']);
    await hold.arrived();
    await scene.later();
    const token = change === 'another token' ? fcmToken() : old;
    const owner = change === 'another user' ? 'ben' : 'anna';
    const packet = owner === 'ben' ? phone.signIn('ben', 3) : phone.token(token, 3);
    await answered(packet(), 200);
    // What the device has confirmed since lives, and the push is offered to it again.
    fcm.devices.set(old.value, { kind: 'live' });
    hold.release();
    await scene.network.drain();
    const [late] = scene.network.journal.entries({ token: old.value }).map(({ answer }) => answer);
    assert.deepEqual(late, { status: 404, reason: 'UNREGISTERED' });
    await scene.assertAtRest({ own: [[token, owner]], recv: { [owner]: [token] } });
  });
}

const WRONG_FOR_ALL = [
  ['400', 'BadDeviceToken'],
  ['400', 'DeviceTokenNotForTopic'],
  ['403', 'InvalidProviderToken'],
  ['403', 'BadCertificateEnvironment'],
] as const;

for (const [status, reason] of WRONG_FOR_ALL) {
  scenario(`S73 ${reason} for every token takes none away`, async (scene) => {
    const phones = [];
    for (let count = 0; count < 8; count += 1) phones.push(await scene.signedIn('anna'));
    const { apns } = scene.network;
    const fault = { kind: 'answer', status: Number(status), reason } as const;
    apns.faults.schedule({ times: Infinity, fault });
    await scene.backEnd.sendToUsers(['anna']);
    await scene.network.drain();
    apns.faults.clear();
    for (const { phone, token } of phones) {
      assert.equal((await scene.hold(token))?.['id'], phone.id);
      // The phone's next start brings back what was put aside.
      await answered(phone.token(token, 1)(), 200);
    }
    await scene.later(5 * MINUTE_MS);
    await scene.network.drain();
    await scene.assertAtRest({ recv: { anna: phones.map(({ token }) => token) } });
  });
}

scenario('S72 deaths and registrations cross: who registered anew is kept', async (scene) => {
  const { apns, clock } = scene.network;
  const phones = [];
  for (let count = 0; count < 24; count += 1) phones.push(await scene.signedIn('anna'));
  // Longer than a check-in may stay unwritten, so that no confirmation can be later than the death.
  await scene.later(LIMITS.checkInMs + MINUTE_MS);
  const atMs = clock.now().getTime();
  for (const { token } of phones) apns.devices.set(token.value, { kind: 'unregistered', atMs });
  await scene.later(MINUTE_MS);
  using hold = apns.faults.hold({}, 'answer');
  await scene.backEnd.sendToUsers(['anna']);
  await hold.arrived(phones.length);
  // Every second phone comes back, a quarter with its old token and a quarter with a fresh one.
  const returning = phones.flatMap(({ phone, token }, index) => {
    if (index % 2 === 1) return [];
    return [{ phone, token: index % 4 === 0 ? token : apnsToken() }];
  });
  const work = returning.map(({ phone, token }) => phone.token(token, 3)());
  hold.release();
  for (const answer of await Promise.all(work)) assert.equal(answer.status, 200);
  await scene.network.drain();
  for (const { phone, token } of returning) {
    assert.equal((await scene.hold(token))?.['id'], phone.id);
    apns.devices.set(token.value, { kind: 'live' });
  }
  for (const [index, { token }] of phones.entries()) {
    if (index % 2 === 1) assert.equal(await scene.hold(token), null);
  }
  await scene.assertAtRest({ recv: { anna: returning.map(({ token }) => token) } });
});
