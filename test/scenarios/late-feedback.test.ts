import assert from 'node:assert/strict';
import { createLogger, LIMITS } from '@homing/server';
import { apnsToken, fcmToken } from '../device.ts';
import { openScenarios } from './scenario.ts';
import { answered, type Scene } from './scene.ts';

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

/** How many refusals the servers did not believe because the device knew better. */
async function refutedRefusals(scene: Scene): Promise<number> {
  const { url, servers } = scene.network;
  let count = 0;
  for (const base of [url, ...servers.map((server) => server.url)]) {
    const text = await (await fetch(`${base}/metrics`)).text();
    const value = /^homing_refuted_refusals_total (\d+)$/m.exec(text)?.[1];
    assert.ok(value !== undefined, text);
    count += Number(value);
  }
  return count;
}

for (const change of ['another token', 'the same token again', 'another user'] as const) {
  scenario(`S70 a death without a time is ignored after ${change}`, async (scene) => {
    const { phone, token: old } = await scene.signedIn('anna', fcmToken());
    const { fcm } = scene.network;
    const ignored = await refutedRefusals(scene);
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
    assert.equal(await refutedRefusals(scene), ignored + 1);
    await scene.assertAtRest({ own: [[token, owner]], recv: { [owner]: [token] } });
  });
}

/** More than a freeze needs, so that all of them would be lost without one. */
const FLEET = LIMITS.massDeathTokens + 10;
const MORE_MESSAGES = 3;
/** What a refusal does to the credential, and what a person is told. */
const WRONG_FOR_ALL = [
  [400, 'BadDeviceToken', 'mass_death_freeze'],
  [400, 'DeviceTokenNotForTopic', 'mass_death_freeze'],
  [403, 'InvalidProviderToken', 'credential_stopped'],
  [403, 'BadCertificateEnvironment', 'credential_stopped'],
] as const;

for (const [status, reason, alert] of WRONG_FOR_ALL) {
  scenario(`S73 ${reason} for every token takes none away`, async (scene) => {
    const phones = await Promise.all(Array.from({ length: FLEET }, () => scene.signedIn('anna')));
    const { apns, sandbox, journal } = scene.network;
    const fault = { kind: 'answer', status, reason } as const;
    for (const host of [apns, sandbox]) host.faults.schedule({ times: Infinity, fault });
    const { received } = journal.counters;
    await send(scene);
    await assertAllActive(scene, FLEET);
    assert.deepEqual(await openAlerts(scene), [alert]);

    // By now nothing is believed any more. A worker that saw the credential refused stops trying.
    for (let more = 0; more < MORE_MESSAGES; more += 1) await send(scene);
    await assertAllActive(scene, FLEET);
    const attempts = journal.counters.received - received;
    const workers = 1 + scene.network.servers.length;
    if (alert === 'credential_stopped') assert.ok(attempts <= FLEET * workers, `${attempts}`);

    for (const host of [apns, sandbox]) host.faults.clear();
    // No phone has to do anything: the next acceptance brings everything back.
    await scene.later(5 * MINUTE_MS);
    await send(scene);
    assert.deepEqual(await openAlerts(scene), []);
    // Each worker finds out for itself, and what it held goes out then, too.
    await scene.later(15 * MINUTE_MS);
    await scene.network.drain();
    await scene.assertAtRest({ recv: { anna: phones.map(({ token }) => token) } });
    for (const { phone, token } of phones.slice(0, 3)) {
      assert.equal((await scene.hold(token))?.['id'], phone.id);
    }
  });
}

async function send(scene: Scene): Promise<void> {
  await scene.backEnd.sendToUsers(['anna']);
  await scene.network.drain();
}

async function assertAllActive(scene: Scene, count: number): Promise<void> {
  const answer = await answered(scene.backEnd.get('/v1/installations?limit=500'), 200);
  const found = answer.body['data'] as unknown as readonly { readonly status: string }[];
  assert.deepEqual(
    found.map((one) => one.status),
    Array.from({ length: count }, () => 'active'),
  );
}

async function openAlerts(scene: Scene): Promise<readonly string[]> {
  const answer = await answered(scene.backEnd.get('/v1/alerts?open=true'), 200);
  const alerts = answer.body['data'] as unknown as readonly { readonly kind: string }[];
  return alerts.map(({ kind }) => kind);
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
