import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Agent } from 'node:https';
import { describe, test } from 'node:test';
import {
  createCertificateAuthority,
  startPushSocket,
  startWebPushSimulator,
  type Frame,
  type PushSubscriptionJson,
} from '@homing/simulators';
import { startFirefox, WHY_NO_FIREFOX } from '../browser/firefox.ts';
import { startPushPage, subscribeWith, UNSUBSCRIBE } from '../browser/push-page.ts';
import { webPushLibrary, WHY_NOT } from './web-push-library.ts';

/** A real browser, a page in it, and `web-push` as the page's back end. */
async function startShop() {
  await using stack = new AsyncDisposableStack();
  const authority = await createCertificateAuthority();
  const tls = await authority.issue(['localhost']);
  const simulator = stack.use(await startWebPushSimulator({ personality: 'mozilla', tls }));
  const acknowledged: unknown[] = [];
  const note = ({ direction, text }: Frame): void => {
    const frame = JSON.parse(text) as { messageType?: string; updates?: { code: number }[] };
    if (direction === 'in' && frame.messageType === 'ack') {
      acknowledged.push(...(frame.updates ?? []).map(({ code }) => code));
    }
  };
  const socket = stack.use(await startPushSocket({ simulator, onFrame: note }));
  const page = stack.use(await startPushPage());
  const firefox = stack.use(await startFirefox(socket.url));
  const library = webPushLibrary();
  const keys = library.generateVAPIDKeys();
  const agent = stack.adopt(new Agent({ ca: authority.certificatePem }), (agent) =>
    agent.destroy(),
  );
  const vapidDetails = { subject: 'mailto:push@example.com', ...keys };
  const device = stack.use(await firefox.addDevice());
  const tab = await device.open(page.url);
  const owned = stack.move();
  return {
    simulator,
    socket,
    page,
    keys,
    acknowledged,
    run: (script: string) => tab.evaluate(script),
    send: (subscription: PushSubscriptionJson, payload: string | Buffer | null) =>
      library.sendNotification(subscription, payload, { vapidDetails, agent, TTL: 60 }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe(
  'a real Firefox at our simulated push service',
  { skip: WHY_NO_FIREFOX || WHY_NOT },
  () => {
    test('subscribes, reads what is pushed, comes back for what it missed, and leaves', async () => {
      await using shop = await startShop();
      const subscribed = await shop.run(subscribeWith(shop.keys.publicKey));
      const subscription = JSON.parse(subscribed) as PushSubscriptionJson;
      assert.match(subscription.endpoint, /^https:\/\/localhost:\d+\/wpush\/v2\//);

      await shop.send(subscription, '{"title":"Grüße"}');
      assert.equal(await shop.page.report(), '{"title":"Grüße"}');
      await shop.send(subscription, null);
      assert.equal(await shop.page.report(), 'nothing');
      const long = randomBytes(1990).toString('hex');
      await shop.send(subscription, long);
      assert.equal(await shop.page.report(), long);

      shop.socket.disconnect();
      await shop.send(subscription, 'while you were away');
      assert.equal(await shop.page.report(), 'while you were away');

      assert.equal(await shop.run(UNSUBSCRIBE), 'true');
      // Said over the same socket, so that by now they have been heard.
      assert.deepEqual(shop.acknowledged, [100, 100, 100, 100]);
      await assert.rejects(shop.send(subscription, 'too late'), { statusCode: 410 });
    });
  },
);
