import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createVapidKeys } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { ownDirectory } from './browser-process.ts';
import { startFirefoxStage, subscribeAnna, titles, type FirefoxStage } from './firefox-stage.ts';
import { startFirefox, WHY_NO_FIREFOX } from './firefox.ts';
import { assertReceipts } from './receipts.ts';
import { ShopVisit } from './shop-visit.ts';

/** Longer than a server doubts that a subscription which it has just got is gone. */
const NO_LONGER_YOUNG_MS = 11 * 60_000;

describe('the SDK in a real Firefox', { skip: WHY_NO_FIREFOX }, () => {
  let stage: FirefoxStage;
  before(async () => {
    stage = await startFirefoxStage();
  });
  after(() => stage[Symbol.asyncDispose]());

  test('shows what is sent to its user, opens it when it is clicked, and tells the server', async () => {
    await using scene = await stage.openForAnna();
    const { shop, device, visit, installationId } = scene;
    const url = `${shop.url}orders/12345`;
    const content = { title: 'Grüße', body: 'Parcel 12345 is on its way', url };
    const shipped = await shop.send('anna', content);
    await shop.handled('push', 'Grüße');
    const [shown, ...others] = await visit.shown();
    assert.deepEqual([shown?.title, shown?.body, others.length], [content.title, content.body, 0]);

    await stage.firefox.clickNotification('Grüße');
    const { isTrusted } = await shop.handled('notificationclick', 'Grüße');
    assert.equal(isTrusted, true);
    assert.deepEqual(await device.addresses(), [shop.url, url]);

    const again = await shop.send('anna', content);
    await shop.handled('push', 'Grüße');
    await stage.firefox.clickNotification('Grüße');
    await shop.handled('notificationclick', 'Grüße');
    assert.deepEqual(await device.addresses(), [shop.url, url], 'it is open already');
    await assertReceipts(shop.backEnd, 'anna', [
      `${installationId} displayed ${shipped}`,
      `${installationId} opened ${shipped}`,
      `${installationId} displayed ${again}`,
      `${installationId} opened ${again}`,
    ]);
  });

  test('counts as dismissed what its user closes, and not what a newer push replaces', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit, installationId } = scene;
    const order = { collapse_key: 'order-12345' };
    const former = await shop.send('anna', { title: 'Packed' }, order);
    await shop.handled('push', 'Packed');
    const latter = await shop.send('anna', { title: 'On its way' }, order);
    await shop.handled('push', 'On its way');
    await shop.handled('notificationclose', 'Packed');
    assert.deepEqual(await titles(visit), ['On its way']);

    const sale = await shop.send('anna', { title: 'Sale' });
    await shop.handled('push', 'Sale');
    await stage.firefox.closeNotification('Sale');
    await shop.handled('notificationclose', 'Sale');
    await assertReceipts(shop.backEnd, 'anna', [
      `${installationId} displayed ${former}`,
      `${installationId} displayed ${latter}`,
      `${installationId} displayed ${sale}`,
      `${installationId} dismissed ${sale}`,
    ]);
  });

  test('S77 shows the next user of a shared browser what is for that user alone', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    await visit.logout();
    await visit.login('ben');
    await visit.registered('ben');
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    await shop.send('ben', { title: 'For Ben' });
    await shop.handled('push', 'For Ben');
    assert.deepEqual(await titles(visit), ['For Ben']);
  });

  test('S48 does not show what was under way to Anna when Ben signed in', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    using hold = stage.socket.hold();
    await shop.send('anna', { title: 'For Anna' });
    await visit.login('ben');
    await visit.registered('ben');
    await shop.send('ben', { title: 'For Ben' });
    hold[Symbol.dispose]();
    await shop.handled('push', 'For Anna');
    await shop.handled('push', 'For Ben');
    assert.deepEqual(await titles(visit), ['For Ben']);
    await assertReceipts(shop.backEnd, 'anna', []);
  });

  test('S60 shows Ben, who signed in without a network, nothing that was stored for Anna', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    using hold = stage.socket.hold();
    using cut = shop.line.cut();
    await shop.send('anna', { title: 'For Anna' });
    await visit.login('ben');
    assert.deepEqual((await visit.status()).users, ['ben']);
    hold[Symbol.dispose]();
    await shop.handled('push', 'For Anna');
    assert.deepEqual(await titles(visit), []);
    cut[Symbol.dispose]();
    await visit.registered('ben');
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    assert.equal((await stage.reached(shop, 'ben')).length, 1);
  });

  test('S05 shows nothing after a logout that the server does not know of yet', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit, installationId } = scene;
    await shop.send('anna', { title: 'Before' });
    await shop.handled('push', 'Before');
    using cut = shop.line.cut();
    await visit.logout();
    assert.deepEqual(await titles(visit), [], 'S61: what was for Anna is off the screen');
    await shop.send('anna', { title: 'For Anna' });
    await shop.handled('push', 'For Anna');
    assert.deepEqual(await titles(visit), []);
    assert.equal((await visit.status()).logoutPending, true);
    cut[Symbol.dispose]();
    await visit.registered();
    assert.equal((await shop.backEnd.installation(installationId))['user'], null);
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
  });

  test('S62 opens nothing for Ben when he clicks what was left of Anna’s', async () => {
    await using scene = await stage.openForAnna();
    const { shop, device, visit, installationId } = scene;
    const id = await shop.send('anna', { title: 'Secret', url: `${shop.url}secret` });
    await shop.handled('push', 'Secret');
    await visit.keepShown();
    await visit.login('ben');
    await visit.registered('ben');
    assert.deepEqual(await titles(visit), [], 'S61: what was for Anna is off the screen');
    await visit.showKept();
    await stage.firefox.clickNotification('Secret');
    await shop.handled('notificationclick', 'Secret');
    assert.deepEqual(await device.addresses(), [shop.url]);
    await assertReceipts(shop.backEnd, 'anna', [`${installationId} displayed ${id}`]);
  });

  test('S06 tells the server of a logout with the next push, when no page is open any more', async () => {
    await using scene = await stage.openForAnna();
    const { shop, device, visit, installationId } = scene;
    using hold = stage.socket.hold();
    using cut = shop.line.cut();
    await visit.logout();
    await visit.tab.close();
    // Before the server can be reached: requests of a page may outlive it.
    await shop.send('anna', { title: 'For Anna' });
    cut[Symbol.dispose]();
    hold[Symbol.dispose]();
    await shop.handled('push', 'For Anna');
    assert.equal((await shop.backEnd.installation(installationId))['user'], null);
    const later = new ShopVisit(await device.open(shop.url));
    assert.deepEqual(await titles(later), []);
    await later.registered();
  });

  test('S06 keeps a logout through the sudden end of the browser', async () => {
    await using stack = new AsyncDisposableStack();
    const profile = await ownDirectory(stack, 'homing-firefox-');
    const shop = stack.use(await stage.openShop());
    const killed = stack.use(await startFirefox(stage.socket.url, profile));
    const visit = await subscribeAnna(shop, killed.ownDevice);
    const { installationId } = await visit.status();
    using cut = shop.line.cut();
    await visit.logout();
    await killed.kill();
    await shop.send('anna', { title: 'For Anna' });
    cut[Symbol.dispose]();

    const restarted = stack.use(await startFirefox(stage.socket.url, profile));
    const later = new ShopVisit(await restarted.ownDevice.open(shop.url));
    await later.registered();
    assert.equal((await later.status()).installationId, installationId);
    assert.equal((await shop.backEnd.installation(installationId))['user'], null);
    assert.deepEqual(await titles(later), []);
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
  });

  test('registers the subscription that follows one which its push service has dropped', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    const [former, ...none] = await stage.reached(shop, 'anna');
    assert.equal(none.length, 0);
    stage.socket.forget();
    await shop.handled('pushsubscriptionchange');
    const [endpoint, ...others] = await stage.reached(shop, 'anna');
    assert.equal(others.length, 0);
    assert.notEqual(endpoint, former);
    await shop.handled('push', 'To anna');
    await shop.handled('push', 'To anna');
    assert.equal((await visit.status()).registered, true);
  });

  test('S78 registers it for nobody when nobody is signed in', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit, installationId } = scene;
    await visit.logout();
    await visit.registered();
    stage.socket.forget();
    await shop.handled('pushsubscriptionchange');
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    const audience = { installations: [installationId] };
    await shop.backEnd.send({ audience, content: { title: 'For whoever is here' } });
    await stage.network.drain();
    await shop.handled('push', 'For whoever is here');
    assert.deepEqual(await titles(visit), ['For whoever is here']);
  });

  test('gives its subscription back, and nothing more is sent to it', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit, installationId } = scene;
    await visit.unsubscribe();
    await visit.registered('anna');
    assert.equal((await shop.backEnd.installation(installationId))['token'], null);
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    assert.equal(await visit.subscribe(), 'granted');
    await visit.registered('anna');
    assert.equal((await stage.reached(shop, 'anna')).length, 1);
  });

  test('S83 is retired by the push service when it gave its subscription back unheard', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit, installationId } = scene;
    using cut = shop.line.cut();
    await visit.unsubscribe();
    await visit.logout();
    await stage.network.clock.advance(NO_LONGER_YOUNG_MS);
    await shop.send('anna', { title: 'For Anna' });
    const { token } = await shop.backEnd.installation(installationId);
    assert.equal(token?.['status'], 'retired');
    cut[Symbol.dispose]();
    await visit.registered();
    assert.deepEqual(await titles(visit), []);
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
  });

  test('S80 signs out whose session was ended by the back end', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    assertAnswered(await shop.backEnd.request('POST', '/v1/users/anna/revoke', {}), 200);
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    await visit.reload(shop.url);
    await visit.registered();
    assert.deepEqual((await visit.status()).users, []);
  });

  test('S81 subscribes anew when the key has changed, and gets each push once', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    const former = await stage.reached(shop, 'anna');
    const settings = { subject: 'mailto:push@example.com', ...createVapidKeys() };
    const key = { provider: 'webpush', settings };
    assertAnswered(await shop.backEnd.request('POST', '/v1/app/credentials', key), 201);
    await visit.reload(shop.url);
    await visit.registered('anna');
    const current = await stage.reached(shop, 'anna');
    assert.equal(current.length, 1);
    assert.notDeepEqual(current, former);
    await shop.send('anna', { title: 'By the new key' });
    await shop.handled('push', 'By the new key');
    const shown = await titles(visit);
    assert.equal(shown.filter((title) => title === 'By the new key').length, 1);
  });

  test('S79 has one truth in all tabs', async () => {
    await using scene = await stage.openForAnna();
    const { shop, device, visit } = scene;
    const other = new ShopVisit(await device.open(shop.url));
    assert.deepEqual((await other.status()).users, ['anna']);
    await other.login('ben');
    await visit.registered('ben');
    await visit.reload(shop.url);
    await visit.registered('ben');
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    await visit.logout();
    await other.registered();
    assert.deepEqual(await stage.reached(shop, 'ben'), []);
  });

  test('stays one installation while one of two tabs ends and makes subscriptions', async () => {
    await using scene = await stage.openForAnna();
    const { shop, device, visit, installationId } = scene;
    const other = new ShopVisit(await device.open(shop.url));
    for (const tab of [visit, other, visit]) {
      await tab.unsubscribe();
      await tab.registered('anna');
      await tab.subscribe();
      await tab.registered('anna');
    }
    for (const tab of [visit, other]) {
      await tab.registered('anna');
      assert.equal((await tab.status()).installationId, installationId);
    }
    assert.equal((await stage.reached(shop, 'anna')).length, 1);
  });

  test('reaches both devices of a user, and after a logout on one the other', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    await using device = await stage.firefox.addDevice();
    const second = await subscribeAnna(shop, device);
    await shop.send('anna', { title: 'For both' });
    await shop.handled('push', 'For both');
    await shop.handled('push', 'For both');
    assert.deepEqual(await titles(visit), ['For both']);
    assert.deepEqual(await titles(second), ['For both']);
    await visit.logout();
    await visit.registered();
    assert.equal((await stage.reached(shop, 'anna')).length, 1);
    assert.deepEqual((await second.status()).users, ['anna']);
  });

  test('S82 has one endpoint after a page has subscribed without end', async () => {
    await using scene = await stage.openForAnna();
    const { shop, visit } = scene;
    await visit.runAway(500, 20);
    await visit.registered('anna');
    assert.equal((await stage.reached(shop, 'anna')).length, 1);
  });

  test('serves a page without a build, by the calls that it has already', async () => {
    await using shop = await stage.openShop();
    const isOn = { static_signatures: true };
    assertAnswered(await shop.backEnd.request('PATCH', '/v1/app', isOn), 200);
    await using device = await stage.firefox.addDevice();
    const visit = new ShopVisit(await device.open(`${shop.url}script`));
    const signature = createHmac('sha256', stage.network.issuer.hmacSecret)
      .update('anna')
      .digest('hex');
    const call = (command: string, options: unknown): Promise<string> =>
      visit.tab.evaluate(`new Promise((resolve) => {
        pushpad('${command}', (value) => resolve(String(value)), ${JSON.stringify(options)});
      })`);
    const options = { uid: 'anna', uidSignature: signature };
    assert.equal(await call('subscribe', options), 'true');
    await visit.registered('anna');
    await shop.send('anna', { title: 'For Anna' });
    await shop.handled('push', 'For Anna');
    assert.deepEqual(await titles(visit), ['For Anna']);

    await visit.reload(`${shop.url}script`);
    assert.equal(await call('status', {}), 'true');

    await call('unsubscribe', { uid: true });
    assert.deepEqual(await titles(visit), []);
    await visit.registered();
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    assert.equal((await visit.status()).token, 'present');
  });

  test('stays signed in without a subscription while the person forbids notifications', async () => {
    await using scene = await stage.openForAnna();
    const { shop, device, visit, installationId } = scene;
    await device.answerNotificationPrompt(new URL(shop.url).origin, 'denied');
    await visit.reload(shop.url);
    await visit.registered('anna');
    assert.deepEqual(await stage.reached(shop, 'anna'), []);
    assert.equal((await shop.backEnd.installation(installationId))['permission'], 'denied');
    assert.equal(await visit.subscribe(), 'denied');

    await device.answerNotificationPrompt(new URL(shop.url).origin, 'granted');
    await visit.subscribed();
    assert.equal((await stage.reached(shop, 'anna')).length, 1);
  });
});
