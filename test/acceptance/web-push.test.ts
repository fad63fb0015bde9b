import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { describe, test } from 'node:test';
import {
  createCertificateAuthority,
  createUserAgent,
  startWebPushSimulator,
  type PersonalityName,
  type PushSubscriptionJson,
} from '@homing/simulators';
import { ReferenceUserAgent } from './reference-user-agent.ts';
import { webPushLibrary, WHY_NOT } from './web-push-library.ts';

const PERSONALITIES = ['google', 'mozilla', 'apple', 'wns'] as const;
const SUBJECT = 'mailto:push@example.com';
/** The largest that RFC 8291 section 4 promises a way for. */
const MAX_PLAINTEXT_BYTES = 3993;

/** A simulated service, and a back end that sends with `web-push`. */
async function startBackEnd(personality: PersonalityName) {
  await using stack = new AsyncDisposableStack();
  const authority = await createCertificateAuthority();
  const tls = await authority.issue(['localhost']);
  const simulator = stack.use(await startWebPushSimulator({ personality, tls }));
  const library = webPushLibrary();
  const keys = library.generateVAPIDKeys();
  const agent = stack.adopt(new Agent({ ca: authority.certificatePem }), (agent) =>
    agent.destroy(),
  );
  const options = { vapidDetails: { subject: SUBJECT, ...keys }, agent, TTL: 60 };
  const owned = stack.move();
  return {
    simulator,
    keys,
    send: (
      subscription: PushSubscriptionJson,
      payload: string | Buffer | null,
      more: { readonly urgency?: string; readonly topic?: string } = {},
    ) => library.sendNotification(subscription, payload, { ...options, ...more }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe('`web-push` and our simulated services', { skip: WHY_NOT }, () => {
  for (const personality of PERSONALITIES) {
    test(`what it sends to ${personality} is taken, and our browser reads it`, async () => {
      await using backEnd = await startBackEnd(personality);
      const browser = createUserAgent();
      const subscription = browser.subscribe(backEnd.simulator, backEnd.keys.publicKey);
      const headers = { urgency: 'high', topic: 'a'.repeat(32) };
      const taken = await backEnd.send(subscription, '{"title":"Grüße"}', headers);
      assert.equal(taken.statusCode, 201);
      await backEnd.send(subscription, Buffer.alloc(MAX_PLAINTEXT_BYTES, 'x'));
      await backEnd.send(subscription, null);
      const [hello, long, empty] = backEnd.simulator.journal.entries();
      assert.deepEqual(hello?.body, { title: 'Grüße' });
      assert.equal(long?.body, 'x'.repeat(MAX_PLAINTEXT_BYTES));
      assert.equal(long?.bodyBytes, 4096);
      assert.equal(empty?.body, null);
      assert.deepEqual(
        [hello?.headers.urgency, hello?.headers.topic],
        [headers.urgency, headers.topic],
      );
    });

    test(`it learns from ${personality} that a browser has unsubscribed`, async () => {
      await using backEnd = await startBackEnd(personality);
      const browser = createUserAgent();
      const subscription = browser.subscribe(backEnd.simulator, backEnd.keys.publicKey);
      browser.unsubscribe(subscription);
      await assert.rejects(backEnd.send(subscription, 'hello'), { statusCode: 410 });
    });
  }

  test('a browser made of its own parts reads what it sends', async () => {
    await using backEnd = await startBackEnd('mozilla');
    const browser = new ReferenceUserAgent();
    const subscription = browser.subscribe(backEnd.simulator, backEnd.keys.publicKey);
    await backEnd.send(subscription, '{"title":"Hello"}');
    await backEnd.send(subscription, null);
    assert.deepEqual(
      browser.opened.map((plaintext) => plaintext.toString()),
      ['{"title":"Hello"}', ''],
    );
  });

  test('a key that is not that of the subscription is refused', async () => {
    await using backEnd = await startBackEnd('apple');
    const other = webPushLibrary().generateVAPIDKeys();
    const subscription = createUserAgent().subscribe(backEnd.simulator, other.publicKey);
    await assert.rejects(backEnd.send(subscription, 'hello'), {
      statusCode: 400,
      body: '{"reason":"VapidPkHashMismatch"}',
    });
  });
});
