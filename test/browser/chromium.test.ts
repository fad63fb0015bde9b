import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startNetwork, type Network } from '../network.ts';
import { startChromium, WHY_NO_CHROMIUM, type Chromium } from './chromium.ts';
import { startDesktop, type Desktop } from './desktop.ts';
import { assertReceipts } from './receipts.ts';
import { buildSdkFiles, type SdkFiles } from './sdk-files.ts';
import { openShop } from './shop.ts';
import { ShopVisit } from './shop-visit.ts';
import { StandInSubscription } from './stand-in-subscription.ts';

/**
 * Chromium's own push service cannot be had without Google. Its subscriptions are made, and its
 * messages decrypted, by a simulated browser at a simulated service; the rest is Chromium's: page,
 * worker, storage, the push event, notifications, and what a person does with them.
 */
describe('the SDK in a real Chromium', { skip: WHY_NO_CHROMIUM }, () => {
  const setting = new AsyncDisposableStack();
  let network: Network;
  let desktop: Desktop;
  let chromium: Chromium;
  let sdk: SdkFiles;
  before(async () => {
    sdk = await buildSdkFiles();
    network = setting.use(await startNetwork({ overrides: { scripts: sdk.scripts } }));
    desktop = setting.use(await startDesktop());
    chromium = setting.use(await startChromium(desktop.address));
  });
  after(() => setting.disposeAsync());

  /** A shop with Anna in it, who has subscribed and is signed in. */
  async function openForAnna() {
    await using stack = new AsyncDisposableStack();
    const subscription = new StandInSubscription(network);
    const { routes } = subscription;
    const shop = stack.use(
      await openShop(network, sdk, { prelude: 'stand-in-subscription.js', routes }),
    );
    const tab = await chromium.open(shop.url);
    stack.defer(() => tab.close());
    const visit = new ShopVisit(tab);
    assert.equal(await visit.subscribe(), 'granted');
    await visit.login('anna');
    await visit.registered('anna');
    const { installationId } = await visit.status();
    const scope = `${shop.url}homing-push/`;
    const owned = stack.move();
    return {
      shop,
      tab,
      visit,
      subscription,
      installationId,
      deliver: (message: string) => tab.deliverPush(scope, message),
      /** What is sent to a user is pushed, but has not come to the browser yet. */
      async push(user: string, content: Readonly<Record<string, unknown>>) {
        const before = network.journal.counters.received;
        const id = await shop.send(user, content);
        return { id, messages: subscription.pushedAfter(before) };
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  }

  type Scene = Awaited<ReturnType<typeof openForAnna>>;

  /** Sends to Anna, delivers that, and waits until it is shown; returns the notification's id. */
  async function show(scene: Scene, content: Readonly<Record<string, unknown>>): Promise<string> {
    const { id, messages } = await scene.push('anna', content);
    assert.equal(messages.length, 1);
    for (const message of messages) await scene.deliver(message);
    await scene.shop.handled('push', String(content['title']));
    return id;
  }

  test('shows what is sent, follows clicks, and tells the server', async () => {
    await using scene = await openForAnna();
    const { shop, visit, installationId } = scene;
    const url = `${shop.url}orders/12345`;
    const track = `${shop.url}track/12345`;
    const content = {
      title: 'Grüße',
      body: 'Parcel 12345 is on its way',
      url,
      actions: [{ id: 'track', title: 'Track', url: track }],
    };
    const shipped = await show(scene, content);
    const notification = await desktop.shown('Grüße');
    assert.ok(notification.body.includes('Parcel 12345 is on its way'), notification.body);
    assert.ok(notification.actions.includes('Track'), String(notification.actions));
    const [shown, ...others] = await visit.shown();
    assert.deepEqual([shown?.title, shown?.body, others.length], [content.title, content.body, 0]);
    desktop.click(notification);
    const { isTrusted } = await shop.handled('notificationclick', 'Grüße');
    assert.equal(isTrusted, true);
    assert.ok((await chromium.addresses()).includes(url));

    const again = await show(scene, content);
    desktop.click(await desktop.shown('Grüße'), '0');
    await shop.handled('notificationclick', 'Grüße');
    assert.ok((await chromium.addresses()).includes(track));

    const sale = await show(scene, { title: 'Sale' });
    desktop.close(await desktop.shown('Sale'));
    await shop.handled('notificationclose', 'Sale');
    await assertReceipts(shop.backEnd, 'anna', [
      `${installationId} displayed ${shipped}`,
      `${installationId} opened ${shipped}`,
      `${installationId} displayed ${again}`,
      `${installationId} opened ${again}`,
      `${installationId} displayed ${sale}`,
      `${installationId} dismissed ${sale}`,
    ]);
  });

  test('S48 does not show what was under way to Anna when Ben signed in', async () => {
    await using scene = await openForAnna();
    const { shop, visit } = scene;
    const late = await scene.push('anna', { title: 'For Anna' });
    await visit.login('ben');
    await visit.registered('ben');
    const current = await scene.push('ben', { title: 'For Ben' });
    for (const message of [...late.messages, ...current.messages]) await scene.deliver(message);
    await shop.handled('push', 'For Anna');
    await shop.handled('push', 'For Ben');
    assert.deepEqual(
      (await visit.shown()).map(({ title }) => title),
      ['For Ben'],
    );
    await assertReceipts(shop.backEnd, 'anna', []);
    await assertReceipts(shop.backEnd, 'ben', [`${scene.installationId} displayed ${current.id}`]);
  });

  test('S05 shows nothing after a logout that the server does not know of yet', async () => {
    await using scene = await openForAnna();
    const { shop, visit, installationId } = scene;
    await show(scene, { title: 'Before' });
    const before = await desktop.shown('Before');
    using cut = shop.line.cut();
    await visit.logout();
    await desktop.taken(before);
    const unheard = await scene.push('anna', { title: 'For Anna' });
    assert.equal(unheard.messages.length, 1);
    for (const message of unheard.messages) await scene.deliver(message);
    await shop.handled('push', 'For Anna');
    assert.deepEqual(await visit.shown(), []);
    cut[Symbol.dispose]();
    await visit.registered();
    assert.equal((await shop.backEnd.installation(installationId))['user'], null);
    assert.deepEqual((await scene.push('anna', { title: 'For Anna' })).messages, []);
  });

  test('S62 opens nothing for Ben when he clicks what was left of Anna’s', async () => {
    await using scene = await openForAnna();
    const { shop, visit, installationId } = scene;
    const url = `${shop.url}secret`;
    const id = await show(scene, { title: 'Secret', url });
    const secret = await desktop.shown('Secret');
    await visit.keepShown();
    await visit.login('ben');
    await visit.registered('ben');
    await desktop.taken(secret);
    await visit.showKept();
    desktop.click(await desktop.shown('Secret'));
    await shop.handled('notificationclick', 'Secret');
    assert.ok(!(await chromium.addresses()).includes(url));
    await assertReceipts(shop.backEnd, 'anna', [`${installationId} displayed ${id}`]);
  });

  test('shows a push where no page is open and no worker runs', async () => {
    await using scene = await openForAnna();
    const { tab, shop, installationId } = scene;
    await tab.navigate('about:blank');
    await tab.stopWorkers();
    const id = await show(scene, { title: 'Far away' });
    await desktop.shown('Far away');
    await assertReceipts(shop.backEnd, 'anna', [`${installationId} displayed ${id}`]);
  });

  test('registers another subscription when its push service has dropped the former', async () => {
    await using scene = await openForAnna();
    const { shop, tab, subscription } = scene;
    const former = subscription.endpoint;
    subscription.drop();
    await chromium.evaluateInWorker(
      `${shop.url}homing-worker.js`,
      `dispatchEvent(new ExtendableEvent('pushsubscriptionchange'))`,
    );
    await shop.handled('pushsubscriptionchange');
    assert.notEqual(subscription.endpoint, former);
    await tab.navigate('about:blank');
    await show(scene, { title: 'By the new way' });
  });
});
