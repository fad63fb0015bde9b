import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createJournal, startInspection } from '../src/index.ts';
import type { PushSubscriptionJson } from '../src/index.ts';
import { connectTo, deviceToken, pushTo, startApns } from './apns-client.ts';
import { startFcm } from './fcm-client.ts';
import { request, startWebPush } from './webpush-client.ts';
import { createSender, seal } from './webpush-sender.ts';

async function startAll() {
  const journal = createJournal();
  const production = await startApns({ journal });
  const sandbox = await startApns({ journal, environment: 'sandbox' });
  const fcm = await startFcm({ journal });
  const google = await startWebPush('google', { journal });
  const mozilla = await startWebPush('mozilla', { journal });
  const inspection = await startInspection({
    apns: [production, sandbox],
    fcm,
    webpush: [google, mozilla],
  });
  return {
    production,
    sandbox,
    fcm,
    google,
    mozilla,
    async call(method: string, path: string, body?: unknown) {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await fetch(inspection.url + path, {
        method,
        ...(body === undefined ? {} : { body: text }),
      });
      const json = (await response.json()) as Record<string, unknown>;
      return { status: response.status, json };
    },
    async [Symbol.asyncDispose]() {
      await inspection[Symbol.asyncDispose]();
      for (const simulator of [production, sandbox, fcm, google, mozilla]) {
        await simulator[Symbol.asyncDispose]();
      }
    },
  };
}

const token = deviceToken();
const KEY = createSender().key;
const answer = { kind: 'answer', status: 503, reason: 'Shutdown' };

const BAD_CALLS: readonly (readonly [string, string, unknown, string])[] = [
  ['GET', '/journal?provider=pigeon', undefined, 'provider'],
  ['GET', '/journal?after=x', undefined, 'after'],
  ['GET', '/journal?limit=0', undefined, 'limit'],
  ['GET', `/devices/pigeon/${token}`, undefined, 'provider'],
  ['GET', `/devices/apns/${token}`, undefined, 'environment'],
  ['GET', `/devices/apns/${token}?environment=moon`, undefined, 'environment'],
  ['PUT', '/devices/fcm/x', 'no json', 'body'],
  ['PUT', '/devices/fcm/x', {}, 'state'],
  ['PUT', '/devices/fcm/x', { stat: {} }, 'stat'],
  ['PUT', '/devices/fcm/x', { state: 'live' }, 'state'],
  ['PUT', '/devices/fcm/x', { state: { kind: 'zombie' } }, 'state.kind'],
  ['PUT', '/devices/fcm/x', { state: { kind: 'constructor' } }, 'state.kind'],
  ['PUT', '/devices/fcm/x', { state: { kind: 'bad_token' } }, 'state.body'],
  ['PUT', '/devices/fcm/x', { state: { kind: 'live', since: 1 } }, 'state.since'],
  ['PUT', '/devices/fcm/x', { online: 'yes' }, 'online'],
  ['GET', '/devices/webpush/nowhere', undefined, 'token'],
  ['POST', '/subscriptions', { personality: 'apple', applicationServerKey: KEY }, 'personality'],
  ['POST', '/subscriptions', { personality: 'google' }, 'applicationServerKey'],
  ['POST', '/subscriptions', { personality: 'google', key: KEY }, 'key'],
  [
    'POST',
    '/subscriptions',
    { personality: 'google', applicationServerKey: KEY, sentinel: 'sim-x:' },
    'sentinel',
  ],
  ['POST', '/faults', { provider: 'webpush', personality: 'wns', fault: answer }, 'personality'],
  ['POST', '/faults', { fault: answer }, 'provider'],
  ['POST', '/faults', { provider: 'apns', fault: { kind: 'fire' } }, 'fault.kind'],
  ['POST', '/faults', { provider: 'apns', fault: { ...answer, status: 700 } }, 'fault.status'],
  ['POST', '/faults', { provider: 'apns', fault: { kind: 'slow' } }, 'fault.delayMs'],
  ['POST', '/faults', { provider: 'apns', times: 0, fault: answer }, 'times'],
  ['POST', '/faults', { provider: 'apns', every: 0.5, fault: answer }, 'every'],
  ['POST', '/faults', { provider: 'apns', match: { tok: 'x' }, fault: answer }, 'match.tok'],
  ['POST', '/faults', { provider: 'apns', when: 'now', fault: answer }, 'when'],
];

describe('the inspection server', () => {
  it('tells what is simulated and what sentinel tokens mean', async () => {
    await using all = await startAll();
    const { status, json } = await all.call('GET', '/');
    const simulators = json.simulators as { provider: string; environment: string | null }[];
    assert.equal(status, 200);
    assert.deepEqual(
      simulators.map(({ provider, environment }) => [provider, environment]),
      [
        ['apns', 'production'],
        ['apns', 'sandbox'],
        ['fcm', null],
        ['webpush', null],
        ['webpush', null],
      ],
    );
    assert.match(JSON.stringify(json.sentinelTokens), /dead0410.*sim-unregistered:/);
  });

  it('reads the journal from a cursor on', async () => {
    await using all = await startAll();
    await using client = await connectTo(all.production);
    for (let count = 0; count < 3; count += 1) await pushTo(client, token);
    const first = await all.call('GET', `/journal?provider=apns&token=${token}&limit=2`);
    assert.deepEqual([(first.json.entries as unknown[]).length, first.json.after], [2, 2]);
    const rest = await all.call('GET', '/journal?after=2');
    assert.deepEqual([(rest.json.entries as unknown[]).length, rest.json.after], [1, 3]);
    const none = await all.call('GET', '/journal?after=3');
    assert.deepEqual(none.json, { entries: [], after: 3 });
  });

  it('sets the state of a device and shows what the device shows', async () => {
    await using all = await startAll();
    await using client = await connectTo(all.sandbox);
    const path = `/devices/apns/${token}?environment=sandbox`;
    await all.call('PUT', path, { online: false });
    await pushTo(client, token);
    const offline = await all.call('GET', path);
    assert.deepEqual([offline.json.online, offline.json.state], [false, null]);
    assert.equal((offline.json.stored as unknown[]).length, 1);
    const state = { kind: 'unregistered', atMs: 1 };
    const changed = await all.call('PUT', path, { online: true, state });
    assert.deepEqual(changed.json.state, state);
    assert.equal((changed.json.shown as unknown[]).length, 1);
    assert.equal((await pushTo(client, token)).status, 410);
    assert.equal(all.production.devices.get(token), null);
  });

  it('schedules faults and clears them', async () => {
    await using all = await startAll();
    await using client = await connectTo(all.production);
    const body = { provider: 'apns', environment: 'production', times: 5, fault: answer };
    assert.equal((await all.call('POST', '/faults', body)).status, 201);
    assert.equal((await pushTo(client, token)).status, 503);
    assert.equal((await all.call('DELETE', '/faults')).status, 200);
    assert.equal((await pushTo(client, token)).status, 200);
  });

  it('subscribes a browser at a Web Push service and shows what it gets', async () => {
    await using all = await startAll();
    const sender = createSender();
    const wanted = { personality: 'mozilla', applicationServerKey: sender.key };
    const { status, json } = await all.call('POST', '/subscriptions', wanted);
    assert.equal(status, 201);
    const subscription = json as unknown as PushSubscriptionJson;
    const { origin } = all.mozilla;
    const pushed = await request(all.mozilla, 'POST', subscription.endpoint.slice(origin.length), {
      headers: {
        authorization: sender.authorization(origin),
        ttl: '60',
        'content-encoding': 'aes128gcm',
      },
      body: seal(subscription, '{"title":"Hello"}'),
    });
    assert.equal(pushed.status, 201);
    const device = `/devices/webpush/${encodeURIComponent(subscription.endpoint)}`;
    const seen = await all.call('GET', device);
    const [shown] = seen.json.shown as readonly { readonly payload: unknown }[];
    assert.deepEqual(shown?.payload, { title: 'Hello' });
    await all.call('PUT', device, { state: { kind: 'unsubscribed' } });
    assert.deepEqual(all.mozilla.devices.get(subscription.endpoint), { kind: 'unsubscribed' });
  });

  it('schedules faults for one Web Push service', async () => {
    await using all = await startAll();
    const fault = { kind: 'answer', status: 503, reason: 'unavailable' };
    const body = { provider: 'webpush', personality: 'mozilla', fault };
    assert.equal((await all.call('POST', '/faults', body)).json.simulators, 1);
    assert.equal(all.google.faults.pending.length, 0);
    assert.equal(all.mozilla.faults.pending.length, 1);
  });

  for (const [method, path, body, field] of BAD_CALLS) {
    it(`refuses ${method} ${path} ${JSON.stringify(body) ?? ''} and names ${field}`, async () => {
      await using all = await startAll();
      const { status, json } = await all.call(method, path, body);
      assert.equal(status, 400);
      assert.equal((json.error as { field: string }).field, field);
    });
  }

  it('has nothing at other paths', async () => {
    await using all = await startAll();
    assert.equal((await all.call('GET', '/favicon.ico')).status, 404);
    assert.equal((await all.call('DELETE', '/devices/fcm/x')).status, 404);
  });
});
