import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { apnsToken } from '../device.ts';
import { openScenarios } from '../scenarios/scenario.ts';
import { ClientScene } from './client-scene.ts';
import { PhoneSystem } from './phone-system.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

const MINUTE_MS = 60_000;

scenario('S09 a token is replaced in the middle of a login', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const next = apnsToken();
  const login = phone.client.login('ben', { assertion: phone.vouchFor('ben') });
  phone.system.refresh(next);
  await login;
  await phone.client.settled();
  assert.equal(await scene.hold(token), null);
  await scene.assertAtRest({ own: [[next, 'ben']], recv: { anna: [] } });
});

scenario('S26 an app that was installed anew has its token back by the nonce', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone: former, token } = await stage.signedIn('anna');
  await former.kill();
  const phone = stage.phone({ system: new PhoneSystem(token) });
  await phone.open();
  assert.equal((await scene.hold(token))?.['id'], phone.identity.id);
  assert.deepEqual(
    phone.link.exchanges.map(({ status }) => status),
    [409, 201],
  );
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario(
  'S32 a token that another phone has meanwhile is claimed again at the start',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone, token } = await stage.signedIn('anna');
    await phone.kill();
    await scene.later();
    const other = stage.phone({ system: new PhoneSystem(token) });
    await other.open();
    await other.login('ben');
    await scene.assertAtRest({ own: [[token, 'ben']] });
    await phone.open();
    await scene.assertAtRest({ own: [[token, 'anna']] });
    assert.equal((await phone.client.status()).registered, true);
  },
);

scenario('S24 a strict app: what came through the token is echoed', async (scene) => {
  await using stage = new ClientScene(scene);
  const strict = await scene.backEnd.request('PATCH', '/v1/app', { takeover: 'challenge' });
  assert.equal(strict.status, 200);
  const { phone: former, token } = await stage.signedIn('anna');
  await former.kill();
  await scene.later();
  const phone = stage.phone({ system: new PhoneSystem(token) });
  const pushes = await scene.pushesBy(async () => {
    await phone.open();
    await phone.login('ben');
  });
  await scene.assertAtRest({ own: [[token, 'anna']] });
  assert.equal((await phone.client.status()).registered, false);
  await stage.arrive(phone, pushes);
  assert.deepEqual(phone.system.screen, []);
  assert.equal((await phone.client.status()).registered, true);
  await scene.assertAtRest({ own: [[token, 'ben']] });
});

scenario('a start after a provider’s wrong word brings the token back', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const { apns, clock } = scene.network;
  apns.devices.set(token.value, { kind: 'unregistered', atMs: clock.now().getTime() });
  assert.deepEqual(await stage.send('anna'), []);
  apns.devices.set(token.value, { kind: 'live' });
  await phone.kill();
  await phone.open();
  // What the wrong word had ended is offered again, and arrives beside the next one.
  assert.deepEqual(await stage.reached('anna', token), [2]);
});

scenario(
  'a request that cannot be taken is not repeated until something changes',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone } = await stage.opened();
    phone.system.facts = { ...phone.system.facts, label: 'x'.repeat(300) };
    phone.client.wake();
    await phone.client.settled();
    await phone.advance(60 * MINUTE_MS);
    assert.deepEqual(
      phone.link.exchanges.map(({ status }) => status),
      [201, 422],
    );
    assert.equal((await phone.client.status()).lastError?.code, 'validation_failed');
    phone.system.facts = { ...phone.system.facts, label: 'iPhone' };
    phone.client.wake();
    await phone.client.settled();
    assert.equal((await phone.client.status()).registered, true);
  },
);

scenario('topics follow what the app wants, and a user’s go with the user', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.opened();
  phone.link.isDown = true;
  await phone.client.subscribeTopic('news');
  await phone.client.subscribeTopic('sport');
  await phone.client.unsubscribeTopic('sport');
  await phone.login('anna');
  await phone.client.subscribeTopic('orders', 'user');
  phone.link.isDown = false;
  phone.client.wake();
  await phone.client.settled();
  await assert.rejects(phone.client.subscribeTopic('..'), new TypeError('topic'));
  const topics = async (): Promise<unknown> =>
    (await scene.backEnd.installation(phone.identity.id))['topics'];
  assert.deepEqual(await topics(), [
    { topic: 'news', scope: 'device' },
    { topic: 'orders', scope: 'user' },
  ]);
  assert.equal((await phone.client.status()).registered, true);
  await phone.logout();
  assert.deepEqual(await topics(), [{ topic: 'news', scope: 'device' }]);
  assert.equal((await phone.client.status()).registered, true);
});

scenario('a topic of a user whom the server signed out tells so', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  const revoked = await scene.backEnd.request('POST', '/v1/users/anna/revoke', {});
  assert.equal(revoked.status, 200);
  await phone.client.subscribeTopic('orders', 'user');
  await phone.client.settled();
  assert.deepEqual(phone.signedOut, ['anna']);
  assert.equal((await phone.client.status()).registered, true);
});

scenario('receipts wait for the network, at most a hundred in a request', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.opened();
  phone.link.isDown = true;
  for (let count = 0; count < 250; count += 1) {
    const id = `ntf_${count.toString(16).padStart(32, '0')}`;
    assert.equal(await phone.client.displayed({ id }), true);
  }
  await phone.client.setDeviceTags({ beta: 'yes' });
  await phone.kill();
  phone.link.isDown = false;
  await phone.open();
  const lines = phone.link.lines.slice(-4);
  assert.deepEqual(lines, ['PUT', 'POST /receipts', 'POST /receipts', 'POST /receipts']);
});
