import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { openScenarios } from '../scenarios/scenario.ts';
import { ClientScene } from './client-scene.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

const MINUTE_MS = 60_000;

scenario(
  'S15 an answer is lost, and the same packet goes out again with its proof',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone, token } = await stage.opened();
    let asked = 0;
    const assertion = (installationId: string): Promise<string> => {
      asked += 1;
      return phone.vouchFor('anna')(installationId);
    };
    phone.link.loseNextAnswer();
    await phone.client.login('anna', { assertion });
    await phone.client.settled();
    await phone.advance(2_000);
    const [first, second] = phone.link.exchanges.slice(-2).map(({ request }) => request.body);
    assert.equal(second, first);
    assert.equal(asked, 1);
    assert.equal((await phone.client.status()).registered, true);
    await scene.assertAtRest({ own: [[token, 'anna']] });
  },
);

scenario('the app is killed before the answer, and the packet survives it', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.opened();
  phone.link.isDown = true;
  await phone.login('anna');
  await phone.kill();
  phone.link.isDown = false;
  await phone.open();
  assert.equal((await phone.client.status()).registered, true);
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario('while nobody can vouch for Ben, Anna is signed out, and Ben later in', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  let isReachable = false;
  await phone.client.login('ben', {
    assertion: async (installationId) => {
      if (!isReachable) throw new Error('the back end is out of reach');
      return phone.vouchFor('ben')(installationId);
    },
  });
  await phone.client.settled();
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
  assert.equal((await phone.client.status()).lastError?.code, 'proof_failed');
  assert.equal((await phone.client.status()).registered, false);
  const before = phone.link.lines.length;
  await phone.advance(10 * MINUTE_MS);
  assert.equal(phone.link.lines.length, before, 'the server is not asked for what it cannot give');
  isReachable = true;
  await phone.advance(5 * MINUTE_MS);
  await scene.assertAtRest({ own: [[token, 'ben']] });
});

scenario('a proof that grew old on its way is fetched anew, once', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.opened();
  phone.link.isDown = true;
  await phone.login('anna');
  await scene.network.clock.advance(20 * MINUTE_MS);
  phone.link.isDown = false;
  await phone.advance(5 * MINUTE_MS);
  assert.equal((await phone.client.status()).registered, true);
  assert.deepEqual(phone.signedOut, []);
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario('a proof that is refused signs out, and the device stays registered', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  await phone.client.login('ben', { assertion: phone.vouchFor('mallory') });
  await phone.client.settled();
  assert.deepEqual(phone.signedOut, ['ben']);
  assert.equal((await phone.client.status()).registered, true);
  await scene.assertAtRest({ own: [[token, null]] });
});

scenario('what another copy counted further is taken up from there', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const text = phone.disk.text;
  for (const step of ['1', '2', '3']) {
    await phone.client.setDeviceTags({ step });
    await phone.client.settled();
  }
  await phone.kill();
  phone.disk.text = text;
  await phone.open();
  await phone.client.setDeviceTags({ step: '4' });
  await phone.client.settled();
  assert.equal((await phone.client.status()).registered, true);
  const installation = await scene.backEnd.installation(phone.identity.id);
  assert.equal(installation['device_tags']?.['step'], '4');
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario('a user whom only the back end signed in is signed out again', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.opened();
  const path = `/v1/installations/${phone.identity.id}`;
  const answer = await scene.backEnd.request('PUT', path, { user: { id: 'cleo' } });
  assert.equal(answer.status, 200);
  await phone.kill();
  await phone.open();
  assert.ok(phone.link.lines.some((line) => line.startsWith('DELETE /user')));
  await scene.assertAtRest({ own: [[token, null]] });
});
