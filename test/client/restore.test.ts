import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { apnsToken } from '../device.ts';
import { openScenarios } from '../scenarios/scenario.ts';
import { ClientScene } from './client-scene.ts';
import { PhoneSystem } from './phone-system.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

const HOUR_MS = 3_600_000;

scenario(
  'S28 a backup does not reach the memory, so the second phone is its own',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone: first, token } = await stage.signedIn('anna');
    const { phone: second, token: other } = await stage.signedIn('anna');
    assert.notEqual(first.identity.id, second.identity.id);
    assert.deepEqual(await stage.reached('anna', token, other), [1, 1]);
  },
);

scenario(
  'S29 a copy of the whole memory enrols anew, and both phones are reached',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone: first, token } = await stage.signedIn('anna');
    const other = apnsToken();
    const disk = first.disk.copy();
    const second = stage.phone({ disk, system: new PhoneSystem(other) });
    // Both apps sign in at each start, as apps do.
    for (const phone of [second, first, second, first, second]) {
      await phone.kill();
      await phone.open();
      await phone.login('anna');
    }
    assert.notEqual(first.identity.id, second.identity.id);
    for (const phone of [first, second]) {
      assert.equal((await phone.client.status()).registered, true);
    }
    assert.deepEqual(await stage.reached('anna', token, other), [1, 1]);
  },
);

scenario('S30 a restored phone in Ben’s hands never claims the token of Anna’s', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone: annas, token } = await stage.signedIn('anna');
  const bensToken = apnsToken();
  const disk = annas.disk.copy();
  const bens = stage.phone({ disk, system: new PhoneSystem(bensToken) });
  await bens.open();
  await bens.login('ben');
  for (const phone of [annas, bens, annas, bens]) {
    await phone.kill();
    await phone.open();
    await phone.login(phone === annas ? 'anna' : 'ben');
  }
  await scene.assertAtRest({
    own: [
      [token, 'anna'],
      [bensToken, 'ben'],
    ],
  });
  assert.deepEqual(await stage.reached('ben', token, bensToken), [0, 1]);
  assert.deepEqual(await stage.reached('anna', token, bensToken), [1, 0]);
});

scenario(
  'a copy that may have no token does not sign the other phone out for ever',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone: annas, token } = await stage.signedIn('anna');
    const disk = annas.disk.copy();
    const bens = stage.phone({ disk, system: new PhoneSystem(apnsToken(), 'denied') });
    await bens.open();
    await bens.login('ben');
    for (const phone of [annas, bens, annas, bens]) {
      await phone.kill();
      await phone.open();
      await phone.login(phone === annas ? 'anna' : 'ben');
    }
    assert.notEqual(annas.identity.id, bens.identity.id);
    await scene.assertAtRest({ own: [[token, 'anna']] });
    const held = await scene.backEnd.installation(bens.identity.id);
    assert.equal(held.user?.id, 'ben');
  },
);

scenario('a memory that is set back once counts on from what the server knows', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const { id } = phone.identity;
  const before = phone.disk.text;
  await phone.client.setDeviceTags({ beta: 'yes' });
  await phone.client.settled();
  await phone.kill();
  phone.disk.text = before;
  await phone.open();
  assert.equal(phone.identity.id, id);
  assert.deepEqual((await phone.client.status()).users, ['anna']);
  await scene.assertAtRest({ own: [[token, 'anna']] });
});

scenario(
  'a phone whose secret the server does not know enrols anew, once an hour',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone, token } = await stage.signedIn('anna');
    const forget = async (): Promise<string> => {
      const { id, ...memory } = JSON.parse(phone.disk.text ?? '') as { readonly id: string };
      phone.disk.text = JSON.stringify({ ...memory, id, secret: 'x'.repeat(43) });
      phone.client.wake();
      await phone.client.setDeviceTags({ step: id.slice(0, 8) });
      await phone.client.settled();
      return id;
    };
    const former = await forget();
    assert.notEqual(phone.identity.id, former);
    await scene.assertAtRest({ own: [[token, 'anna']] });

    const kept = await forget();
    assert.equal(phone.identity.id, kept);
    assert.equal((await phone.client.status()).lastError?.code, 'invalid_credentials');
    const before = phone.link.lines.length;
    await phone.advance(HOUR_MS);
    assert.ok(phone.link.lines.length - before < 40, 'it waits between its attempts');
    await phone.advance(HOUR_MS);
    assert.notEqual(phone.identity.id, kept);
    assert.deepEqual(await stage.reached('anna', token), [1]);
  },
);

scenario('a wrong key is no reason to give the installation up', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  await phone.kill();
  const options = { key: `${scene.app.publishableKey}x` };
  const mistaken = stage.phone({ disk: phone.disk, system: phone.system, options });
  const { id } = mistaken.identity;
  await mistaken.open();
  await mistaken.advance(2 * HOUR_MS);
  assert.equal(mistaken.identity.id, id);
  assert.deepEqual((await mistaken.client.status()).users, ['anna']);
  assert.equal((await mistaken.client.status()).lastError?.code, 'invalid_credentials');
});
