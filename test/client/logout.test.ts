import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { openScenarios } from '../scenarios/scenario.ts';
import { ClientScene } from './client-scene.ts';
import { VirtualTime } from './virtual-time.ts';

const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

const HOUR_MS = 3_600_000;

scenario(
  'S05 a logout without a network: nothing is shown, and it goes out first',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone, token } = await stage.signedIn('anna');
    await phone.client.setTags({ plan: 'pro' });
    await phone.client.settled();
    phone.link.isDown = true;
    await phone.logout();
    assert.deepEqual((await phone.client.status()).users, []);
    assert.equal((await phone.client.status()).logoutPending, true);

    for (let count = 0; count < 3; count += 1) {
      const pushes = await stage.send('anna');
      assert.equal(pushes.length, 1, 'the server cannot know yet');
      await stage.arrive(phone, pushes);
    }
    assert.deepEqual(phone.system.screen, []);

    await phone.advance(2 * HOUR_MS);
    const before = phone.link.lines.length;
    phone.link.isDown = false;
    phone.client.wake();
    await phone.client.settled();
    assert.match(phone.link.lines[before] ?? '', /^DELETE \/user\?seq=/);
    assert.match(phone.link.lines[before + 1] ?? '', /^PUT/);
    await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
    assert.equal((await phone.client.status()).logoutPending, false);
    assert.deepEqual((await scene.backEnd.installation(phone.identity.id))['tags'], {});
  },
);

scenario('S06 the app is killed after the tap, and opened the next day', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  phone.link.isDown = true;
  await phone.client.logout();
  await phone.kill();
  phone.link.isDown = false;

  phone.launch();
  await stage.arrive(phone, await stage.send('anna'));
  assert.deepEqual(phone.system.screen, []);
  await phone.open();
  const [first, second] = phone.link.lines.slice(-2);
  assert.match(first ?? '', /^DELETE \/user\?seq=/);
  assert.match(second ?? '', /^PUT/);
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario('S61 a logout, and a switch, clear the screen', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone } = await stage.signedIn('anna');
  for (let count = 0; count < 3; count += 1) {
    await stage.arrive(phone, await stage.send('anna'));
  }
  assert.equal(phone.system.screen.length, 3);
  await phone.logout();
  assert.deepEqual(phone.system.screen, []);

  await phone.login('anna');
  await stage.arrive(phone, await stage.send('anna'));
  assert.equal(phone.system.screen.length, 1);
  await phone.login('ben');
  assert.deepEqual(phone.system.screen, []);
});

scenario(
  'S61 a kill amid a logout or a switch leaves the screen to the next start',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone } = await stage.signedIn('anna');
    const leaving = [
      (): Promise<void> => phone.client.logout(),
      (): Promise<void> => phone.client.login('ben', { assertion: phone.vouchFor('ben') }),
    ];
    for (const leave of leaving) {
      await phone.login('anna');
      await stage.arrive(phone, await stage.send('anna'));
      assert.equal(phone.system.screen.length, 1);
      phone.system.isStuck = true;
      void leave();
      await phone.client.settled();
      await phone.kill();
      phone.system.isStuck = false;
      await phone.open();
      assert.deepEqual(phone.system.screen, []);
    }
    await phone.login('anna');
    await stage.arrive(phone, await stage.send('anna'));
    await phone.kill();
    await phone.open();
    assert.equal(phone.system.screen.length, 1, 'what is for whoever is here stays');
  },
);

scenario('a logout ends the wait for an answer that does not come', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  phone.link.detour = () => {
    leave();
    return new Promise(() => {});
  };
  await phone.client.setDeviceTags({ beta: 'yes' });
  await left;
  phone.link.detour = null;
  await phone.logout();
  assert.equal((await phone.client.status()).registered, true);
  await scene.assertAtRest({ own: [[token, null]] });
});

scenario('a logout goes out at once after the clock was set back', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  assert.ok(phone.time instanceof VirtualTime);
  phone.time.setBack(HOUR_MS);
  await phone.logout();
  assert.equal((await phone.client.status()).logoutPending, false);
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario('who signs in again is asked for after the logout that waits', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  phone.link.isDown = true;
  await phone.logout();
  await phone.login('ben');
  const before = phone.link.lines.length;
  phone.link.isDown = false;
  phone.client.wake();
  await phone.client.settled();
  assert.deepEqual(
    phone.link.lines.slice(before).map((line) => line.split(' ')[0]),
    ['DELETE', 'PUT'],
  );
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [] } });
});

scenario('who leaves and comes again offline takes a sequence after the logout', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const { id, seq } = phone.identity;
  phone.link.isDown = true;
  await phone.logout();
  await phone.login('anna');
  phone.link.isDown = false;
  phone.client.wake();
  await phone.client.settled();
  assert.equal(phone.identity.seq, seq + 2);

  phone.link.isDown = true;
  await phone.logout();
  await phone.login('anna');
  await phone.kill();
  phone.link.isDown = false;
  await phone.open();
  await phone.login('anna');
  assert.equal(phone.identity.seq, seq + 5, 'nobody can vouch for her at the start');

  const statuses = phone.link.exchanges.slice(-5).map(({ status }) => status);
  assert.deepEqual(statuses, [204, 200, 204, 200, 200]);
  assert.equal(phone.identity.id, id);
  await scene.assertAtRest({ own: [[token, 'anna']] });
  assert.deepEqual(await stage.reached('anna', token), [1]);
});

scenario('a logout that the server has lost is over with the installation', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  const former = phone.identity.id;
  phone.link.isDown = true;
  await phone.logout();
  assert.equal((await scene.backEnd.request('DELETE', `/v1/installations/${former}`)).status, 204);
  phone.link.isDown = false;
  phone.client.wake();
  await phone.client.settled();
  assert.notEqual(phone.identity.id, former);
  assert.equal((await phone.client.status()).registered, true);
  await scene.assertAtRest({ own: [[token, null]] });
});

scenario(
  'a logout is over with the installation that the server lost within the hour',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { phone, token } = await stage.signedIn('anna');
    const ids = new Set<string>();
    for (let round = 0; round < 2; round += 1) {
      const { id } = phone.identity;
      ids.add(id);
      await phone.login('anna');
      phone.link.isDown = true;
      await phone.logout();
      assert.equal((await scene.backEnd.request('DELETE', `/v1/installations/${id}`)).status, 204);
      phone.link.isDown = false;
      phone.client.wake();
      await phone.client.settled();
      assert.equal((await phone.client.status()).logoutPending, false, `round ${round}`);
    }
    assert.equal(ids.size, 2);
    await phone.advance(2 * HOUR_MS);
    assert.equal((await phone.client.status()).registered, true);
    await scene.assertAtRest({ own: [[token, null]] });
  },
);
