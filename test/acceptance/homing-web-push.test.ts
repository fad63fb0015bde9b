import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createVapidKeys, startPushSocket, type PushSubscriptionJson } from '@homing/simulators';
import type { ProvisionedApp } from '@homing/server';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { Device } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { startFirefox, WHY_NO_FIREFOX } from '../browser/firefox.ts';
import { startPushPage, subscribeWith } from '../browser/push-page.ts';
import { ReferenceUserAgent } from './reference-user-agent.ts';
import { WHY_NOT } from './web-push-library.ts';

const CONTENT = { title: 'Grüße', body: 'Parcel 12345 is on its way' };

describe('what Homing pushes to a browser', () => {
  const keys = createVapidKeys();
  let network: Network;
  let app: ProvisionedApp;
  before(async () => {
    network = await startNetwork();
    const webpush = { subject: 'mailto:push@example.com', ...keys };
    app = await network.provision({ credentials: { webpush } });
  });
  after(() => network[Symbol.asyncDispose]());

  /** Registers the subscription as a page would, and sends its user a notification. */
  async function pushTo(user: string, { endpoint, keys }: PushSubscriptionJson): Promise<void> {
    const device = new Device(network.url, app, network.issuer);
    assertAnswered(await device.register({ provider: 'webpush', endpoint, keys }, user), 201);
    const id = await new BackEnd(network.url, app.secretKey).sendToUsers([user], CONTENT);
    await network.drain();
    const [delivery] = await new BackEnd(network.url, app.secretKey).deliveries(id);
    assert.equal(delivery?.['state'], 'accepted', JSON.stringify(delivery));
  }

  for (const personality of ['google', 'mozilla', 'apple', 'wns'] as const) {
    test(
      `is read by a browser of others' making, by way of ${personality}`,
      { skip: WHY_NOT },
      async () => {
        const browser = new ReferenceUserAgent();
        await pushTo(
          `reader of ${personality}`,
          browser.subscribe(network.webPush[personality], keys.publicKey),
        );
        const [plaintext, ...others] = browser.opened;
        assert.equal(others.length, 0);
        const message = JSON.parse(String(plaintext)) as typeof CONTENT;
        assert.deepEqual({ title: message.title, body: message.body }, CONTENT);
      },
    );
  }

  test('reaches the page in a real Firefox', { skip: WHY_NO_FIREFOX }, async () => {
    await using socket = await startPushSocket({ simulator: network.webPush.mozilla });
    await using page = await startPushPage();
    await using firefox = await startFirefox(socket.url);
    await using device = await firefox.addDevice();
    const tab = await device.open(page.url);
    const subscribed = await tab.evaluate(subscribeWith(keys.publicKey));
    await pushTo('reader in Firefox', JSON.parse(subscribed) as PushSubscriptionJson);
    const message = JSON.parse(await page.report()) as typeof CONTENT;
    assert.deepEqual({ title: message.title, body: message.body }, CONTENT);
  });
});
