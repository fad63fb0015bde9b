import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { Device, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const SHOP = 'https://shop.example';
const app = await network.provision({ name: 'Web shop', allowedOrigins: [SHOP] });

function browser(origin: string, device: Device, publishableKey = app.publishableKey) {
  return (method: string, path: string, body?: unknown) =>
    request(`${network.url}/v1/installations/${device.id}${path}`, {
      method,
      body,
      headers: {
        authorization: `Bearer ${publishableKey}`,
        'homing-installation-secret': device.secret,
        origin,
      },
    });
}

test('a preflight is answered without credentials, for every client route and method', async () => {
  const device = network.device();
  for (const path of ['', '/user', '/topics/news', '/preferences', '/receipts']) {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
      const answer = await request(`${network.url}/v1/installations/${device.id}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: SHOP,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,homing-installation-secret,content-type',
        },
      });
      assertAnswered(answer, 204);
      assert.equal(answer.headers.get('access-control-allow-origin'), SHOP);
      assert.match(answer.headers.get('access-control-allow-methods') ?? '', new RegExp(method));
      assert.equal(answer.headers.get('access-control-max-age'), '86400');
      const allowed = (answer.headers.get('access-control-allow-headers') ?? '').toLowerCase();
      for (const name of [
        'authorization',
        'homing-installation-secret',
        'idempotency-key',
        'content-type',
      ]) {
        assert.ok(allowed.split(', ').includes(name), allowed);
      }
      assert.match(answer.headers.get('vary') ?? '', /Origin/);
      assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    }
  }
});

test('an allowed origin works, and can read what it needs from the answer', async () => {
  const device = new Device(network.url, app, network.issuer);
  const send = browser(SHOP, device);
  const enrolled = await send('PUT', '', { seq: 1, token: fcmToken() });
  assertAnswered(enrolled, 201);
  assert.equal(enrolled.headers.get('access-control-allow-origin'), SHOP);
  const exposed = enrolled.headers.get('access-control-expose-headers') ?? '';
  for (const name of ['Homing-Seq', 'X-Request-Id', 'Retry-After']) {
    assert.ok(exposed.includes(name), exposed);
  }
  const late = await send('DELETE', '/user?seq=1');
  assertAnswered(late, 204);
  assert.equal(late.headers.get('homing-seq'), '1');
});

test('another origin is refused, readably, and changes nothing', async () => {
  const device = new Device(network.url, app, network.issuer);
  const origins = [
    'https://evil.example',
    'http://shop.example',
    'https://shop.example:8443',
    'https://shop.example.evil.example',
    'https://sub.shop.example',
    'HTTPS://SHOP.EXAMPLE/',
    'null',
    '*',
    '',
  ];
  for (const origin of origins) {
    const answer = await browser(origin, device)('PUT', '', { seq: 1, token: fcmToken() });
    assertProblem(answer, 'origin_not_allowed');
    assert.equal(answer.headers.get('access-control-allow-origin') ?? '', origin);
  }
  const rows = await network.homing.db`select 1 from installation where id = ${device.id}`;
  assert.equal(rows.length, 0);
});

test('an app that lists no origin takes none, one with a star takes all', async () => {
  const answer = await browser(SHOP, network.device(), network.app.publishableKey)('GET', '');
  assertProblem(answer, 'origin_not_allowed');
  const open = await network.provision({ name: 'Open', allowedOrigins: ['*'] });
  const device = new Device(network.url, open, network.issuer);
  const send = browser('https://anything.example', device, open.publishableKey);
  assertAnswered(await send('PUT', '', { seq: 1 }), 201);
});

test('an error before the key is known can be read by a page as well', async () => {
  const answer = await browser(SHOP, network.device(), 'hmg_pk_wrong')('PUT', '', { seq: 1 });
  assertProblem(answer, 'invalid_credentials');
  assert.equal(answer.headers.get('access-control-allow-origin'), SHOP);
});

test('back-end routes give no page access', async () => {
  const headers = { authorization: `Bearer ${network.app.secretKey}`, origin: SHOP };
  for (const path of ['/v1/installations', '/v1/users/42', '/v1/notifications/ntf_x']) {
    const answer = await request(network.url + path, { headers });
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
    const preflight = await request(network.url + path, { method: 'OPTIONS', headers });
    assertProblem(preflight, 'not_found');
  }
});
