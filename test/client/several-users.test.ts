import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { openScenarios } from '../scenarios/scenario.ts';
import type { Scene } from '../scenarios/scene.ts';
import { ClientScene, type OpenPhone } from './client-scene.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

async function shared(scene: Scene, stage: ClientScene): Promise<OpenPhone> {
  const mode = { account_mode: 'multi' };
  assert.equal((await scene.backEnd.request('PATCH', '/v1/app', mode)).status, 200);
  const opened = await stage.signedIn('anna', { options: { accounts: 'several' } });
  await opened.phone.login('ben');
  assert.deepEqual((await opened.phone.client.status()).users, ['anna', 'ben']);
  return opened;
}

scenario('S84 two users of one phone each see their own pushes', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await shared(scene, stage);
  for (const userId of ['anna', 'ben']) {
    const pushes = await stage.send(userId);
    assert.deepEqual(
      pushes.map((push) => push.token),
      [token.value],
    );
    await stage.arrive(phone, pushes);
  }
  assert.equal(new Set(phone.system.screen.map(({ rcpt }) => rcpt)).size, 2);
});

scenario('S86 when the last account is removed nobody is left', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await shared(scene, stage);
  await phone.logout('anna');
  await phone.logout('ben');
  await scene.assertAtRest({ recv: { anna: [], ben: [] } });
  assert.equal((await scene.hold(token))?.['status'], 'signed_out');
});

scenario('S87 one account is removed offline, and the other goes on', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await shared(scene, stage);
  phone.link.isDown = true;
  await phone.logout('anna');
  await stage.arrive(phone, await stage.send('anna'));
  assert.deepEqual(phone.system.screen, []);
  await stage.arrive(phone, await stage.send('ben'));
  assert.equal(phone.system.screen.length, 1);
  await phone.kill();
  phone.link.isDown = false;
  await phone.open();
  assert.deepEqual(await stage.reached('anna', token), [0]);
  assert.deepEqual(await stage.reached('ben', token), [1]);
  assert.equal((await phone.client.status()).registered, true);
});

scenario('a bad proof keeps its own user out, and nobody else', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await shared(scene, stage);
  await phone.client.login('mallory', { assertion: phone.vouchFor('anna') });
  await phone.client.settled();
  assert.deepEqual(phone.signedOut, ['mallory']);
  assert.deepEqual((await phone.client.status()).users, ['anna', 'ben']);
  assert.deepEqual(await stage.reached('anna', token), [1]);
  assert.deepEqual(await stage.reached('mallory', token), [0]);
});
