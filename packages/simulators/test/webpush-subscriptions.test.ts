import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import { describe, it } from 'node:test';
import { createUserAgent, createVapidKeys, WEB_PUSH_SENTINELS } from '../src/index.ts';
import { refused } from './http2-client.ts';
import {
  connectOverHttp2,
  pathOf,
  PERSONALITIES,
  request,
  startPair,
  startWebPush,
} from './webpush-client.ts';
import { createSender, seal } from './webpush-sender.ts';

const MINUTE_MS = 60_000;

/** The answer that each service has for a subscription that is not there any more. */
const GONE = {
  google: /push subscription has unsubscribed or expired/,
  mozilla: /"code":410,"errno":106,"error":"Gone","message":"No such subscription"/,
  apple: /\{"reason":"Unregistered"\}/,
  wns: /^$/,
} as const;

const ENDPOINTS = {
  google: /^https:\/\/localhost:\d+\/fcm\/send\/[\w-]+:APA91b[\w-]+$/,
  mozilla: /^https:\/\/localhost:\d+\/wpush\/v2\/gAAAAAB[\w-]+$/,
  apple: /^https:\/\/localhost:\d+\/Q[\w-]+$/,
  wns: /^https:\/\/localhost:\d+\/w\/\?token=BQYAAAC[\w%]+%3d$/,
} as const;

describe('a subscription at a simulated Web Push service', () => {
  for (const personality of PERSONALITIES) {
    it(`of ${personality} gets what is pushed to it, decrypted, until it ends`, async () => {
      await using pair = await startPair(personality);
      const { endpoint } = pair.subscription;
      assert.match(endpoint, ENDPOINTS[personality]);
      const content = { title: 'Grüße', data: { order: 42 } };
      assert.equal((await pair.push(JSON.stringify(content))).status, 201);
      assert.equal((await pair.push('plain text')).status, 201);
      assert.equal((await pair.push('')).status, 201);
      assert.deepEqual(pair.shown(), [content, 'plain text', null]);
      const entries = pair.simulator.journal.entries({ provider: 'webpush', token: endpoint });
      assert.deepEqual(
        entries.map(({ body, accepted }) => [body, accepted]),
        [
          [content, true],
          ['plain text', true],
          [null, true],
        ],
      );
      pair.browser.unsubscribe(pair.subscription);
      const gone = await pair.push('too late');
      assert.equal(gone.status, 410);
      assert.match(gone.text, GONE[personality]);
    });
  }

  it('takes what its browser cannot open, as a real service does', async () => {
    await using pair = await startPair('mozilla');
    const body = seal(createUserAgent(), 'for somebody else');
    assert.equal((await pair.push('', { body, headers: AES })).status, 201);
    assert.deepEqual(pair.shown(), [{ unreadable: 'record 0 cannot be decrypted' }]);
  });

  it('is bound to the key that it was made with', async () => {
    const statuses: Record<string, string> = {};
    for (const personality of PERSONALITIES) {
      await using pair = await startPair(personality);
      const authorization = createSender().authorization(pair.simulator.origin);
      const { status, text } = await pair.push('hello', { headers: { authorization } });
      statuses[personality] = `${status} ${/VAPID[a-zA-Z ]*|Vapid\w+/.exec(text)?.[0] ?? ''}`;
    }
    assert.deepEqual(statuses, {
      google:
        '403 VAPID credentials in the authorization header do not correspond to the ' +
        'credentials used to create the subscriptions',
      mozilla: '401 VAPID public key mismatch',
      apple: '400 VapidPkHashMismatch',
      wns: '403 ',
    });
  });

  it('is unknown to a validating service that did not make it', async () => {
    const statuses = [];
    for (const personality of PERSONALITIES) {
      await using pair = await startPair(personality, { mode: 'validating' });
      await using other = await startWebPush(personality);
      const { endpoint } = createUserAgent().subscribe(other, pair.sender.key);
      statuses.push((await pair.push('hello', { path: pathOf(other, endpoint) })).status);
      assert.equal((await pair.push('hello')).status, 201);
    }
    assert.deepEqual(statuses, [404, 404, 400, 404]);
  });

  it('is refused by WNS when its address was written anew', async () => {
    await using pair = await startPair('wns');
    const path = pathOf(pair.simulator, pair.subscription.endpoint);
    const rewritten = `/w/?${new URLSearchParams(path.slice('/w/?'.length)).toString()}`;
    assert.notEqual(rewritten, path);
    const { status, headers } = await pair.push('hello', { path: rewritten });
    assert.equal(status, 401);
    assert.equal(headers['x-wns-error-description'], 'The channel token is invalid.');
  });
});

describe('a generated VAPID key', () => {
  it('is a point with its scalar, both of full length', async () => {
    const { publicKey, privateKey } = createVapidKeys();
    assert.equal(Buffer.from(privateKey, 'base64url').length, 32);
    const ecdh = createECDH('prime256v1');
    ecdh.setPrivateKey(Buffer.from(privateKey, 'base64url'));
    assert.equal(ecdh.getPublicKey('base64url'), publicKey);
  });
});

describe('a message at a simulated Web Push service', () => {
  it('waits for a browser that is away, and only the last of a topic does', async () => {
    let nowMs = Date.now();
    await using pair = await startPair('mozilla', { clock: () => nowMs });
    const { devices } = pair.simulator;
    devices.setOnline(pair.subscription.endpoint, false);
    await pair.push('old news', { headers: { topic: 'news' } });
    await pair.push('kept');
    await pair.push('dropped', { headers: { ttl: '0' } });
    await pair.push('short-lived', { headers: { ttl: '1' } });
    await pair.push('new news', { headers: { topic: 'news' } });
    assert.deepEqual(pair.stored(), ['kept', 'short-lived', 'new news']);
    nowMs += 1001;
    devices.setOnline(pair.subscription.endpoint, true);
    assert.deepEqual(pair.shown(), ['kept', 'new news']);
  });

  it('can be withdrawn from Mozilla while nobody has it', async () => {
    await using pair = await startPair('mozilla');
    const { devices, origin } = pair.simulator;
    devices.setOnline(pair.subscription.endpoint, false);
    const { headers } = await pair.push('never mind');
    assert.match(String(headers['location']), new RegExp(`^${origin}/m/`));
    const path = pathOf(pair.simulator, String(headers['location']));
    assert.equal((await request(pair.simulator, 'DELETE', path)).status, 204);
    assert.deepEqual(pair.stored(), []);
    assert.equal((await request(pair.simulator, 'DELETE', path)).status, 404);
  });

  it('is kept for as long as the service likes, and Google and Mozilla say for how long', async () => {
    const ttl = { ttl: '31536000' };
    await using google = await startPair('google');
    assert.equal((await google.push('hello', { headers: ttl })).headers['ttl'], '2419200');
    assert.equal((await google.push('hello')).headers['ttl'], undefined);
    await using mozilla = await startPair('mozilla', { knobs: { maxTtlSeconds: 3600 } });
    assert.equal((await mozilla.push('hello', { headers: ttl })).headers['ttl'], '3600');
    assert.equal((await mozilla.push('hello')).headers['ttl'], '60');
  });

  it('is acknowledged by each service in its own headers', async () => {
    await using apple = await startPair('apple');
    assert.match(String((await apple.push('hello')).headers['apns-id']), /^[0-9A-F-]{36}$/);
    await using wns = await startPair('wns');
    const { headers } = await wns.push('hello');
    assert.equal(headers['x-wns-notificationstatus'], 'received');
    assert.match(String(headers['x-wns-msg-id']), /^[0-9a-f-]{36}$/);
  });

  it('may be answered as gone while the subscription is young, if so set', async () => {
    let nowMs = Date.now();
    const knobs = { goneForMs: MINUTE_MS };
    await using pair = await startPair('google', { clock: () => nowMs, knobs });
    assert.equal((await pair.push('hello')).status, 410);
    nowMs += MINUTE_MS;
    assert.equal((await pair.push('hello')).status, 201);
    assert.deepEqual(pair.shown(), ['hello']);
  });

  it('may come in chunks', async () => {
    await using pair = await startPair('google');
    const headers = { 'transfer-encoding': 'chunked' };
    assert.equal((await pair.push('hello', { headers })).status, 201);
    assert.deepEqual(pair.shown(), ['hello']);
  });

  it('may come over HTTP/2, except to WNS', async () => {
    for (const personality of ['google', 'mozilla', 'apple'] as const) {
      await using pair = await startPair(personality);
      await using client = await connectOverHttp2(pair.simulator);
      const headers = {
        ':method': 'POST',
        ':path': pathOf(pair.simulator, pair.subscription.endpoint),
        authorization: pair.authorization,
        ttl: '60',
        'content-encoding': 'aes128gcm',
      };
      const reply = await client.send(headers, seal(pair.subscription, 'over streams'));
      assert.equal(reply.status, 201);
      assert.deepEqual(pair.shown(), ['over streams']);
    }
    await using wns = await startWebPush('wns');
    await assert.rejects(connectOverHttp2(wns));
  });
});

describe('a sentinel endpoint', () => {
  it('has one of these fates at every service', async () => {
    const fates: Record<string, readonly number[]> = {};
    for (const { prefix, effect } of WEB_PUSH_SENTINELS) {
      if (effect.kind === 'fault' && effect.fault.kind !== 'answer') continue;
      const statuses = [];
      for (const personality of PERSONALITIES) {
        await using pair = await startPair(personality);
        const subscription = pair.subscribe(prefix);
        statuses.push((await pair.pushTo(subscription, 'hello')).status);
      }
      fates[prefix] = statuses;
    }
    assert.deepEqual(fates, {
      'sim-gone:': [410, 410, 410, 410],
      'sim-unknown:': [404, 404, 400, 404],
      'sim-key-mismatch:': [403, 401, 400, 403],
      'sim-throttled:': [429, 429, 429, 406],
      'sim-throttled-bare:': [429, 429, 429, 406],
      'sim-gone-once:': [410, 410, 410, 410],
      'sim-unavailable:': [503, 503, 503, 503],
      'sim-unavailable-once:': [503, 503, 503, 503],
      'sim-internal:': [500, 500, 500, 500],
      'sim-redirected:': [307, 307, 307, 307],
    });
  });

  it('that fails once takes the second push', async () => {
    await using pair = await startPair('google');
    for (const prefix of ['sim-gone-once:', 'sim-unavailable-once:']) {
      const subscription = pair.subscribe(prefix);
      assert.notEqual((await pair.pushTo(subscription, 'hello')).status, 201);
      assert.equal((await pair.pushTo(subscription, 'hello')).status, 201);
    }
  });

  it('names another address when it redirects, and a time when it throttles', async () => {
    await using pair = await startPair('google');
    const redirected = await pair.pushTo(pair.subscribe('sim-redirected:'), 'hello');
    assert.equal(redirected.headers['location'], `${pair.simulator.origin}/redirected`);
    const throttled = await pair.pushTo(pair.subscribe('sim-throttled:'), 'hello');
    assert.equal(throttled.headers['retry-after'], '30');
  });

  it('takes the push and then drops the connection', async () => {
    await using pair = await startPair('google');
    const subscription = pair.subscribe('sim-accepted-reset-once:');
    await assert.rejects(pair.pushTo(subscription, 'hello'));
    const { shown } = pair.simulator.devices.view(subscription.endpoint);
    assert.deepEqual(
      shown.map(({ payload }) => payload),
      ['hello'],
    );
  });

  it('refuses a stream over HTTP/2', async () => {
    await using pair = await startPair('mozilla');
    await using client = await connectOverHttp2(pair.simulator);
    const { endpoint } = pair.subscribe('sim-refused-once:');
    const headers = {
      ':method': 'POST',
      ':path': pathOf(pair.simulator, endpoint),
      authorization: pair.authorization,
      ttl: '60',
    };
    assert.equal((await refused(client.send(headers, ''))).rstCode, 7);
    assert.equal((await client.send(headers, '')).status, 201);
  });
});

const AES = { 'content-encoding': 'aes128gcm' } as const;
