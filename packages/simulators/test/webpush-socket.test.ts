import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { createUserAgent, startPushSocket } from '../src/index.ts';
import type { Frame } from '../src/index.ts';
import { SocketBrowser } from './socket-browser.ts';
import { pathOf, request, startWebPush } from './webpush-client.ts';
import { createSender, seal } from './webpush-sender.ts';

/** A simulated Mozilla with both of its sides, and a browser that has a subscription. */
async function startBoth() {
  await using stack = new AsyncDisposableStack();
  const frames: Frame[] = [];
  const simulator = stack.use(await startWebPush('mozilla'));
  const socket = stack.use(
    await startPushSocket({ simulator, onFrame: (frame) => frames.push(frame) }),
  );
  const sender = createSender();
  const keys = createUserAgent();
  const browser = stack.use(await SocketBrowser.greet(socket));
  const channelId = randomUUID();
  const { pushEndpoint } = await browser.register(channelId, sender.key);
  const endpoint = String(pushEndpoint);
  const owned = stack.move();
  return {
    simulator,
    socket,
    sender,
    keys,
    browser,
    channelId,
    endpoint,
    frames,
    uaid: browser.uaid,
    push: (text: string, headers: Readonly<Record<string, string>> = {}) =>
      request(simulator, 'POST', pathOf(simulator, endpoint), {
        headers: {
          authorization: sender.authorization(simulator.origin),
          ttl: '60',
          ...(text === '' ? {} : { 'content-encoding': 'aes128gcm' }),
          ...headers,
        },
        body: text === '' ? '' : seal(keys, text),
      }),
    /** What a notification says, once decrypted. */
    read: ({ data }: Readonly<Record<string, unknown>>) => {
      const opened = keys.open(Buffer.from(String(data), 'base64url'));
      return opened.ok ? opened.plaintext.toString() : opened.problem;
    },
    view: () => simulator.devices.view(endpoint),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

describe('the WebSocket side of a simulated Mozilla', () => {
  it('greets a browser, subscribes it, and passes on what is pushed', async () => {
    await using both = await startBoth();
    assert.match(both.uaid, /^[0-9a-f]{32}$/);
    assert.match(both.endpoint, /^https:\/\/localhost:\d+\/wpush\/v2\//);
    const { status, headers } = await both.push('{"title":"Hello"}');
    assert.equal(status, 201);
    const notification = await both.browser.next();
    assert.equal(notification.messageType, 'notification');
    assert.equal(notification.channelID, both.channelId);
    assert.equal(notification.ttl, 60);
    assert.deepEqual(notification.headers, { encoding: 'aes128gcm' });
    assert.equal(both.read(notification), '{"title":"Hello"}');
    assert.equal(headers['location'], `${both.simulator.origin}/m/${String(notification.version)}`);
    assert.deepEqual([both.view().shown.length, both.view().stored.length], [0, 1]);
    both.browser.acknowledge(notification);
    assert.ok(await both.browser.isQuiet());
    assert.deepEqual([both.view().shown.length, both.view().stored.length], [1, 0]);
    assert.deepEqual(
      both.frames.filter(({ direction }) => direction === 'in').map(({ uaid }) => uaid),
      [null, both.uaid, both.uaid, both.uaid],
    );
  });

  it('sends an empty push without data', async () => {
    await using both = await startBoth();
    await both.push('');
    const notification = await both.browser.next();
    assert.deepEqual(Object.keys(notification).sort(), [
      'channelID',
      'messageType',
      'ttl',
      'version',
    ]);
  });

  it('judges pushes by the key of the subscription', async () => {
    await using both = await startBoth();
    const authorization = createSender().authorization(both.simulator.origin);
    assert.equal((await both.push('hello', { authorization })).status, 401);
    assert.ok(await both.browser.isQuiet());
  });

  it('answers a ping, and ignores nacks and broadcasts', async () => {
    await using both = await startBoth();
    both.browser.send({ messageType: 'nack', version: 'x', code: 301 });
    both.browser.send({ messageType: 'broadcast_subscribe', broadcasts: { a: 'b' } });
    both.browser.send({});
    assert.deepEqual(await both.browser.next(), {});
  });

  it('sends again after a reconnection what was not acknowledged', async () => {
    await using both = await startBoth();
    await both.push('first');
    await both.push('second');
    both.browser.acknowledge(await both.browser.next());
    assert.equal(both.read(await both.browser.next()), 'second');
    assert.ok(await both.browser.isQuiet());
    const closed = both.browser.closed();
    both.socket.disconnect();
    await closed;
    await both.push('third');
    await using browser = await SocketBrowser.greet(both.socket, both.uaid);
    assert.equal(browser.uaid, both.uaid);
    assert.equal(both.read(await browser.next()), 'second');
    assert.equal(both.read(await browser.next()), 'third');
  });

  it('drops a message with a TTL of zero that nobody is there for', async () => {
    await using both = await startBoth();
    await both.push('now', { ttl: '0' });
    assert.equal(both.read(await both.browser.next()), 'now');
    const closed = both.browser.closed();
    both.socket.disconnect();
    await closed;
    assert.equal((await both.push('never', { ttl: '0' })).status, 201);
    await using browser = await SocketBrowser.greet(both.socket, both.uaid);
    assert.ok(await browser.isQuiet());
  });

  it('keeps the last message of a topic for a browser that is away', async () => {
    await using both = await startBoth();
    const closed = both.browser.closed();
    both.socket.disconnect();
    await closed;
    await both.push('old', { topic: 'news' });
    await both.push('new', { topic: 'news' });
    await using browser = await SocketBrowser.greet(both.socket, both.uaid);
    assert.equal(both.read(await browser.next()), 'new');
    assert.ok(await browser.isQuiet());
  });

  it('keeps messages back while it is told to, and then sends those that are stored', async () => {
    await using both = await startBoth();
    using hold = both.socket.hold();
    assert.equal((await both.push('slow')).status, 201);
    assert.equal((await both.push('never', { ttl: '0' })).status, 201);
    assert.ok(await both.browser.isQuiet());
    hold[Symbol.dispose]();
    assert.equal(both.read(await both.browser.next()), 'slow');
    await both.push('at once');
    assert.equal(both.read(await both.browser.next()), 'at once');
    assert.ok(await both.browser.isQuiet());
  });

  it('holds back the eleventh message until one is acknowledged', async () => {
    await using both = await startBoth();
    for (let count = 0; count < 12; count += 1) await both.push(`message ${count}`);
    const notifications = [];
    for (let count = 0; count < 10; count += 1) notifications.push(await both.browser.next());
    assert.ok(await both.browser.isQuiet());
    for (const notification of notifications.slice(0, 2)) both.browser.acknowledge(notification);
    assert.equal(both.read(await both.browser.next()), 'message 10');
    assert.equal(both.read(await both.browser.next()), 'message 11');
  });

  it('forgets a message that the browser could not open', async () => {
    await using both = await startBoth();
    await both.push('hello');
    both.browser.acknowledge(await both.browser.next(), 101);
    assert.ok(await both.browser.isQuiet());
    assert.deepEqual([both.view().shown.length, both.view().stored.length], [0, 0]);
  });

  it('answers pushes as gone once the browser has unregistered', async () => {
    await using both = await startBoth();
    both.browser.send({ channelID: both.channelId, messageType: 'unregister', code: 200 });
    assert.deepEqual(await both.browser.next(), {
      messageType: 'unregister',
      status: 200,
      channelID: both.channelId,
    });
    assert.equal((await both.push('hello')).status, 410);
  });

  it('gives a browser that it has forgotten another name', async () => {
    await using both = await startBoth();
    both.socket.forget();
    await using browser = await SocketBrowser.greet(both.socket, both.uaid);
    assert.notEqual(browser.uaid, both.uaid);
    assert.equal((await both.push('hello')).status, 410);
  });

  it('registers a channel once, and refuses a key that is none', async () => {
    await using both = await startBoth();
    const again = await both.browser.register(both.channelId, both.sender.key);
    assert.equal(again.pushEndpoint, both.endpoint);
    const bad = await both.browser.register(randomUUID(), both.sender.key.slice(0, 40));
    assert.equal(bad.status, 400);
    const keyless = await both.browser.register(randomUUID());
    assert.equal(keyless.status, 200);
  });

  it('closes the connection of who does not speak its protocol', async () => {
    await using both = await startBoth();
    for (const words of ['not json', '{"messageType":"register"}', '{"messageType":"dance"}']) {
      await using stranger = await SocketBrowser.connect(both.socket);
      const closed = stranger.closed();
      stranger.send(words);
      assert.equal(await closed, 1008);
    }
    await using silent = await SocketBrowser.connect(both.socket);
    const closed = silent.closed();
    silent.send({});
    assert.equal(await closed, 1008);
    assert.ok(await both.browser.isQuiet());
  });
});
