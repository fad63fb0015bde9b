import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { openScenarios } from '../scenarios/scenario.ts';
import { envelopeOf } from './client-phone.ts';
import { ClientScene } from './client-scene.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

scenario(
  'S48 a switch after the push was accepted: Ben’s phone does not show it',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone } = await stage.signedIn('anna');
    const pushes = await stage.send('anna');
    assert.equal(pushes.length, 1);
    await phone.login('ben');
    await stage.arrive(phone, pushes);
    assert.deepEqual(phone.system.screen, []);
    await stage.arrive(phone, await stage.send('ben'));
    assert.equal(phone.system.screen.length, 1);
  },
);

scenario('S60 a provider kept the push while Ben took over in airplane mode', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  phone.link.isDown = true;
  const pushes = await stage.send('anna');
  await phone.logout();
  await phone.login('ben');
  await stage.arrive(phone, pushes);
  assert.deepEqual(phone.system.screen, []);
  phone.link.isDown = false;
  phone.client.wake();
  await phone.client.settled();
  await scene.assertAtRest({ own: [[token, 'ben']] });
});

scenario('S62 a tap on Anna’s push opens nothing for Ben and is not credited', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  const [push] = await stage.send('anna');
  const envelope = envelopeOf(push?.body);
  assert.ok(envelope !== null);
  await phone.receive(envelope);
  assert.equal(await phone.client.opened(envelope), true);
  await phone.login('ben');
  assert.equal(await phone.client.opened(envelope), false);
  await phone.client.settled();
  const { body } = await scene.backEnd.get('/v1/users/anna/export');
  const receipts = body['receipts'] as unknown as readonly { readonly kind: string }[];
  assert.deepEqual(receipts.map(({ kind }) => kind).toSorted(), ['displayed', 'opened']);
});

scenario('S34 what is tagged for Mallory is not shown on Anna’s phone', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone: annas, token } = await stage.signedIn('anna');
  const mallorys = stage.phone({ system: annas.system });
  await scene.later();
  await mallorys.open();
  await mallorys.login('mallory');
  await mallorys.kill();
  const pushes = await stage.send('mallory');
  assert.equal(pushes.length, 1);
  await stage.arrive(annas, pushes);
  assert.deepEqual(annas.system.screen, []);

  await annas.kill();
  await annas.open();
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario('what is for whoever has the phone is shown', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.opened();
  const pushes = await scene.pushesBy(() =>
    scene.backEnd.send({ audience: { everyone: true }, content: { title: 'Closed today' } }),
  );
  await stage.arrive(phone, pushes);
  assert.equal(phone.system.screen.length, 1);
});

scenario('a push that is looked at while its user logs out does not stay there', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  const pushes = await stage.send('anna');
  await Promise.all([stage.arrive(phone, pushes), phone.logout()]);
  assert.deepEqual(phone.system.screen, []);
});

scenario('whoever is signed out by the server leaves nothing on the screen', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  await stage.arrive(phone, await stage.send('anna'));
  assert.equal(phone.system.screen.length, 1);
  const revoked = await scene.backEnd.request('POST', '/v1/users/anna/revoke', {});
  assert.equal(revoked.status, 200);
  await phone.kill();
  await phone.open();
  assert.deepEqual(phone.signedOut, ['anna']);
  assert.deepEqual(phone.system.screen, []);
});
