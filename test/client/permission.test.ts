import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { createLogger } from '@homing/server';
import { apnsToken } from '../device.ts';
import { openScenarios } from '../scenarios/scenario.ts';
import { ClientScene } from './client-scene.ts';
import { PhoneSystem } from './phone-system.ts';
import { VirtualTime } from './virtual-time.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

scenario('without permission no token is asked for; a later grant registers', async (scene) => {
  await using stage = new ClientScene(scene);
  const token = apnsToken();
  const system = new PhoneSystem(token, 'default');
  const phone = stage.phone({ system });
  await phone.open();
  await phone.login('anna');
  assert.equal(system.counts.tokens, 0);
  assert.equal((await phone.client.status()).registered, true);
  await scene.assertAtRest({ own: [[token, null]] });

  system.current = 'granted';
  phone.client.wake();
  await phone.client.settled();
  await scene.assertAtRest({ own: [[token, 'anna']] });
  assert.deepEqual(phone.events.at(-2), {
    name: 'permission',
    event: { permission: 'granted' },
  });

  system.current = 'denied';
  await phone.kill();
  await phone.open();
  assert.equal((await scene.backEnd.installation(phone.identity.id))['token'], null);
  assert.equal((await phone.client.status()).registered, true);
});

scenario('a look that a denial overtakes asks for no token', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  const { counts } = phone.system;
  const before = counts.tokens;
  phone.client.wake();
  phone.system.current = 'denied';
  phone.client.wake();
  await phone.client.settled();
  assert.equal(counts.tokens, before);
  assert.equal((await scene.backEnd.installation(phone.identity.id))['token'], null);
});

scenario('a person is asked once, and never again after a denial', async (scene) => {
  await using stage = new ClientScene(scene);
  const system = new PhoneSystem(apnsToken(), 'default');
  const phone = stage.phone({ system });
  await phone.open();
  system.answer = 'denied';
  assert.equal(await phone.client.subscribe(), 'denied');
  assert.equal(await phone.client.subscribe(), 'denied');
  assert.equal(system.counts.asked, 1);
  assert.equal(system.counts.tokens, 0);
});

scenario('unsubscribing gives the token back, for longer than the process', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  await phone.client.unsubscribe();
  await phone.client.settled();
  assert.equal(phone.system.counts.dropped, 1);
  assert.equal(await scene.hold(token), null);
  await phone.kill();
  await phone.open();
  assert.equal(await scene.hold(token), null);
  assert.equal((await phone.client.status()).token, 'none');

  assert.equal(await phone.client.subscribe(), 'granted');
  await phone.client.settled();
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario(
  'a token that the system fails to give is told to the app and to support',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const system = new PhoneSystem(null);
    const code = 'SERVICE_NOT_AVAILABLE';
    system.given = { kind: 'failed', code, detail: 'no Google Play services' };
    const phone = stage.phone({ system });
    await phone.open();
    await phone.login('anna');
    const status = await phone.client.status();
    assert.deepEqual([status.token, status.registered], ['failed', true]);
    assert.equal(status.lastError?.code, 'token_error');
    assert.ok(phone.events.some(({ name }) => name === 'token_error'));
    const sentences = await scene.backEnd.timeline(phone.identity.id);
    const told = sentences.filter((sentence) => sentence.includes(code));
    assert.equal(told.length, 1, sentences.join('\n'));

    const token = apnsToken();
    system.given = { kind: 'token', token };
    await phone.advance(60_000);
    await scene.assertAtRest({ own: [[token, 'anna']] });
    assert.equal((await scene.backEnd.installation(phone.identity.id))['token_error'], null);
  },
);

scenario('a system that does not answer holds a login up for half a minute', async (scene) => {
  await using stage = new ClientScene(scene);
  const system = new PhoneSystem(null);
  const phone = stage.phone({ system });
  const client = phone.launch();
  await client.start();
  await client.login('anna', { assertion: phone.vouchFor('anna') });
  assert.deepEqual(phone.link.lines, []);
  assert.ok(phone.time instanceof VirtualTime);
  await phone.time.advance(31_000, async () => {});
  await client.settled();
  assert.equal((await client.status()).registered, true);
  const token = apnsToken();
  system.refresh(token);
  await client.settled();
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario('a development build warns of a token that nobody acknowledged', async (scene) => {
  await using stage = new ClientScene(scene);
  const warn = mock.method(console, 'warn', () => {});
  const phone = stage.phone({ options: { development: true } });
  phone.link.isDown = true;
  await phone.open();
  await phone.advance(9_000);
  assert.equal(warn.mock.callCount(), 0);
  await phone.advance(1_000);
  assert.equal(warn.mock.callCount(), 1);
  warn.mock.restore();
});

scenario('the self-check names what the server holds otherwise', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  await phone.client.setTags({ plan: 'pro' });
  await phone.client.subscribeTopic('news');
  await phone.client.settled();
  assert.deepEqual(await phone.client.selfCheck(), { status: 'active', differences: [] });

  const path = `/v1/installations/${phone.identity.id}/user`;
  assert.equal((await scene.backEnd.request('DELETE', path)).status, 204);
  assert.deepEqual(await phone.client.selfCheck(), {
    status: 'signed_out',
    differences: ['user', 'tags'],
  });
  phone.link.isDown = true;
  assert.equal(await phone.client.selfCheck(), null);
});
