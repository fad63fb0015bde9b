import assert from 'node:assert/strict';
import { createECDH, randomUUID } from 'node:crypto';
import type { TokenInput } from '@homing/protocol';
import { createLogger } from '@homing/server';
import { openScenarios } from '../scenarios/scenario.ts';
import type { ClientPhone } from './client-phone.ts';
import { ClientScene } from './client-scene.ts';
import { PhoneSystem } from './phone-system.ts';

/** Group E through the core: tabs and workers of a browser are processes that share one memory. */
const scenario = await openScenarios({ forms: [1], logger: createLogger('silent') });

type Subscription = Extract<TokenInput, { readonly provider: 'webpush' }>;

function subscription(): Subscription {
  return {
    provider: 'webpush',
    endpoint: `https://updates.push.services.mozilla.com/wpush/v2/${randomUUID()}`,
    keys: {
      p256dh: createECDH('prime256v1').generateKeys('base64url'),
      auth: Buffer.alloc(16, 7).toString('base64url'),
    },
  };
}

/** A browser profile with one subscription, and a first tab where somebody signed in. */
async function browse(stage: ClientScene, userId: string) {
  const endpoint = subscription();
  const system = new PhoneSystem(endpoint);
  const tab = stage.phone({ system });
  await tab.open();
  await tab.login(userId);
  const openTab = async (): Promise<ClientPhone> => {
    const other = stage.phone({ system, disk: tab.disk, time: tab.time });
    await other.open();
    return other;
  };
  return { tab, endpoint, system, openTab };
}

scenario('S78 a subscription changes while nobody is logged in', async (scene) => {
  await using stage = new ClientScene(scene);
  const { tab, endpoint, system } = await browse(stage, 'anna');
  await tab.logout();
  const fresh = subscription();
  system.refresh(fresh);
  await tab.client.settled();
  assert.equal((await scene.hold(fresh))?.['id'], tab.identity.id);
  assert.equal(await scene.hold(endpoint), null);
  await scene.assertAtRest({ own: [[fresh, null]] });
});

for (const [title, benIsIn] of [
  ['S79 two tabs: the forgotten one does not bring Anna back over Ben', true],
  ['S79 two tabs: the forgotten one does not bring Anna back over nobody', false],
] as const) {
  scenario(title, async (scene) => {
    await using stage = new ClientScene(scene);
    const { tab: forgotten, endpoint, system, openTab } = await browse(stage, 'anna');
    const tab = await openTab();
    await tab.logout();
    if (benIsIn) await tab.login('ben');
    forgotten.client.wake();
    await forgotten.client.settled();
    const fresh = subscription();
    system.refresh(fresh);
    await Promise.all([forgotten.client.settled(), tab.client.settled()]);
    const users = benIsIn ? ['ben'] : [];
    assert.deepEqual((await forgotten.client.status()).users, users);
    await scene.assertAtRest({
      own: [
        [fresh, benIsIn ? 'ben' : null],
        [endpoint, null],
      ],
    });
    const anna = forgotten.link.exchanges.filter(({ request }) => request.body?.includes('"anna"'));
    assert.equal(anna.length, 1, 'the first login alone names her');
  });
}

for (const benIsIn of [true, false]) {
  const who = benIsIn ? 'Ben' : 'nobody';
  scenario(
    `S79 two tabs: an old page signs Anna in again over ${who}, and is refused`,
    async (scene) => {
      await using stage = new ClientScene(scene);
      const token = subscription();
      const tab = stage.phone({ system: new PhoneSystem(token) });
      await tab.open();
      let cached: string | null = null;
      const assertion = async (id: string): Promise<string> => {
        cached ??= await tab.vouchFor('anna')(id);
        return cached;
      };
      await tab.client.login('anna', { assertion });
      await tab.client.settled();
      await tab.logout();
      if (benIsIn) await tab.login('ben');
      await tab.client.login('anna', { assertion });
      await tab.client.settled();
      assert.deepEqual(tab.signedOut, ['anna']);
      assert.deepEqual((await tab.client.status()).users, benIsIn ? ['ben'] : []);
      assert.equal((await tab.client.status()).registered, true);
      await scene.assertAtRest({ own: [[token, benIsIn ? 'ben' : null]] });
    },
  );
}

scenario('a tab that logged out is not asked to vouch for who is there again', async (scene) => {
  await using stage = new ClientScene(scene);
  const { tab, openTab } = await browse(stage, 'anna');
  const other = await openTab();
  await tab.logout();
  await other.client.login('anna', { assertion: () => Promise.reject(new Error('no session')) });
  await Promise.all([other.client.settled(), tab.client.settled()]);
  tab.client.wake();
  await tab.client.settled();
  assert.equal((await tab.client.status()).registered, false);
});

scenario('S80 the session ends at the back end, and the browser hears of it', async (scene) => {
  await using stage = new ClientScene(scene);
  const { tab, endpoint } = await browse(stage, 'anna');
  const revoked = await scene.backEnd.request('POST', '/v1/users/anna/revoke', {});
  assert.equal(revoked.status, 200);
  await scene.assertAtRest({ own: [[endpoint, null]] });
  await tab.kill();
  await tab.open();
  assert.deepEqual(tab.signedOut, ['anna']);
  assert.deepEqual((await tab.client.status()).users, []);
  assert.equal((await tab.client.status()).registered, true);
  await scene.assertAtRest({ own: [[endpoint, null]] });
});

scenario('S81 a new VAPID key: one endpoint takes the place of the other', async (scene) => {
  await using stage = new ClientScene(scene);
  const { tab, endpoint, system } = await browse(stage, 'anna');
  const fresh = subscription();
  system.refresh(fresh);
  await tab.client.settled();
  assert.equal(await scene.hold(endpoint), null);
  await scene.assertAtRest({ own: [[fresh, 'anna']] });
});

scenario('S82 five hundred subscriptions in a moment are a few requests', async (scene) => {
  await using stage = new ClientScene(scene);
  const { tab, system } = await browse(stage, 'anna');
  const before = tab.link.lines.length;
  let last = subscription();
  for (let count = 0; count < 500; count += 1) {
    last = subscription();
    system.refresh(last);
    if (count % 10 === 0) await tab.client.settled();
  }
  await tab.client.settled();
  await tab.advance(60_000);
  assert.ok(tab.link.lines.length - before < 60, `${tab.link.lines.length - before}`);
  await scene.assertAtRest({ own: [[last, 'anna']] });
});

scenario('S83 a logout that the server never hears shows nothing meanwhile', async (scene) => {
  await using stage = new ClientScene(scene);
  const { phone, token } = await stage.signedIn('anna');
  phone.link.isDown = true;
  await phone.logout();
  await phone.client.unsubscribe();
  assert.equal(phone.system.counts.dropped, 1);
  await stage.arrive(phone, await stage.send('anna'));
  assert.deepEqual(phone.system.screen, []);

  const { apns, clock } = scene.network;
  apns.devices.set(token.value, { kind: 'unregistered', atMs: clock.now().getTime() });
  assert.deepEqual(await stage.send('anna'), []);
  assert.equal((await scene.hold(token))?.['status'], 'quarantined', 'nothing is sent there');
  phone.link.isDown = false;
  phone.client.wake();
  await phone.client.settled();
  assert.equal((await phone.client.status()).registered, true);
  assert.equal((await scene.backEnd.installation(phone.identity.id))['token'], null);
});

scenario(
  'who signs in again while a login of another tab, closed then, is under way is there',
  async (scene) => {
    await using stage = new ClientScene(scene);
    const { tab, endpoint, openTab } = await browse(stage, 'anna');
    const other = await openTab();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    other.link.detour = async (_request, send) => {
      leave();
      await answered;
      return send();
    };
    // Either tab sends what one of them has a proof for.
    tab.link.isDown = true;
    await other.client.login('ben', { assertion: other.vouchFor('ben') });
    await left;
    tab.link.isDown = false;
    const assertion = (id: string): Promise<string> => {
      void other.kill();
      return tab.vouchFor('anna')(id);
    };
    await tab.client.login('anna', { assertion });
    answer();
    await tab.client.settled();
    const { users, registered } = await tab.client.status();
    assert.deepEqual({ users, registered }, { users: ['anna'], registered: true });
    await scene.assertAtRest({ own: [[endpoint, 'anna']], recv: { ben: [] } });
  },
);

scenario('tabs that see the device differently do not take turns for ever', async (scene) => {
  await using stage = new ClientScene(scene);
  const { tab, endpoint, openTab } = await browse(stage, 'anna');
  const system = new PhoneSystem(endpoint);
  system.facts = { ...system.facts, app_version: '2.0.0' };
  const newer = stage.phone({ system, disk: tab.disk, time: tab.time });
  await newer.open();
  const third = await openTab();
  const tabs = [tab, newer, third];
  const rest = async (): Promise<void> => {
    for (const one of [...tabs, ...tabs]) await one.client.settled();
  };
  await rest();
  const sent = (): number => tabs.reduce((sum, one) => sum + one.link.lines.length, 0);
  const before = sent();
  for (const one of tabs) await one.advance(60_000);
  await rest();
  assert.equal(sent(), before);
  await newer.login('ben');
  await rest();
  assert.ok(sent() - before <= 3, `${sent() - before} requests for one login`);
  await scene.assertAtRest({ own: [[endpoint, 'ben']] });
});
