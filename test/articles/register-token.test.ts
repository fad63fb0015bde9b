import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, type Answer } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { fcmToken } from '../device.ts';
import { tokens, tokensReached } from '../pushes.ts';
import { articleIsMissing } from './article.ts';
import { startArticleBackEnd } from './express.ts';
import { callDeclared, runBlock } from './run-block.ts';
import { startShopApp, type ShopApp } from './shop-app.ts';

const REGISTER_TOKEN_WITH_BACKEND = 6;
const SUCCESS = { request: 'POST /register-token', status: 200 };
const REFUSED = { ...SUCCESS, status: 401 };

const options = { skip: articleIsMissing };

if (articleIsMissing === false) runBlock(REGISTER_TOKEN_WITH_BACKEND);

/** What block 6 sends; tests vary it. */
function body(more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    token: fcmToken().value,
    userId: 'anna',
    platform: 'android',
    appVersion: '2.4.1',
    deviceId: 'dd96dec43fb81c97',
    timestamp: Date.now(),
    ...more,
  };
}

async function post(
  url: string,
  sent: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return request(`${url}/register-token`, { method: 'POST', body: sent, headers });
}

async function bearer(app: ShopApp, userId: string): Promise<{ readonly authorization: string }> {
  const assertion = await app.network.issuer.sign(app.network.app.id, userId);
  return { authorization: `Bearer ${assertion}` };
}

for (const platform of ['android', 'ios'] as const) {
  test(`the client function registers the user of an ${platform} phone`, options, async () => {
    await using app = await startShopApp('required');
    const phone = app.phoneOf('anna', { platform });
    // Firebase gives an FCM token on both platforms; vendor ids of iOS are upper-case UUIDs.
    if (platform === 'ios') phone.uniqueId = 'B1F5E6B4-3C3F-4A0B-9E0C-5D1A7E0C2F44';
    phone.hold();

    await callDeclared('registerTokenWithBackend', phone.token);

    assert.deepEqual(app.answers, [SUCCESS]);
    const toAnna = () => app.network.backEnd.sendToUsers(['anna']);
    assert.deepEqual(await tokensReached(app.network, toAnna), tokens({ value: phone.token }));
  });
}

test('a phone with nobody signed in is registered without a user', options, async () => {
  await using app = await startShopApp('required');
  const phone = app.phoneOf('anna');
  phone.storage.clear();
  phone.hold();

  await callDeclared('registerTokenWithBackend', phone.token);

  assert.deepEqual(app.answers, [SUCCESS]);
  const installation = await app.installationOf(phone);
  assert.equal(installation?.user, null);
  assert.equal(installation?.status, 'signed_out');
});

test('the next user of the phone takes it over with the same device id', options, async () => {
  await using app = await startShopApp('required');
  const { network } = app;
  const phone = app.phoneOf('anna');
  phone.hold();
  await callDeclared('registerTokenWithBackend', phone.token);

  phone.storage.set('userId', 'ben');
  phone.getAuthToken = () => network.issuer.sign(network.app.id, 'ben');
  await callDeclared('registerTokenWithBackend', phone.token);

  assert.deepEqual(app.answers, [SUCCESS, SUCCESS]);
  const toAnna = () => network.backEnd.sendToUsers(['anna']);
  const toBen = () => network.backEnd.sendToUsers(['ben']);
  assert.deepEqual(await tokensReached(network, toAnna), []);
  assert.deepEqual(await tokensReached(network, toBen), tokens({ value: phone.token }));
});

test(
  'without a proof of the user nobody is attached, and the client can see it',
  options,
  async () => {
    await using app = await startShopApp('required');
    const phone = app.phoneOf('anna', {
      getAuthToken: () => Promise.resolve('a session of the shop'),
    });
    phone.hold();

    await callDeclared('registerTokenWithBackend', phone.token);

    assert.deepEqual(app.answers, [REFUSED]);
    assert.equal(await app.installationOf(phone), null);
    const { body: problem } = await post(app.network.url, body());
    assert.equal(typeof problem['error'], 'string');
    assert.equal(problem['code'], 'invalid_credentials');
  },
);

test(
  'a proof serves the device that used it first, as often as it likes, and no other',
  options,
  async () => {
    await using app = await startShopApp('required');
    const headers = await bearer(app, 'anna');
    const { url } = app.network;
    assertAnswered(await post(url, body(), headers), 200);
    assertAnswered(await post(url, body(), headers), 200);
    assertAnswered(await post(url, body({ deviceId: 'b7c1f0aa52d3e964' }), headers), 401);
  },
);

test("the answers equal those of the article's own back end", options, async () => {
  await using app = await startShopApp('required');
  await using oracle = await startArticleBackEnd(app.network.database.url);
  const first = body();
  const sent = [
    first,
    first,
    body({ token: fcmToken().value }),
    body({ userId: 42, deviceId: 'b7c1f0aa52d3e964' }),
    body({ deviceId: 'c2a4410be77d0f18', brand: 'acme', nested: { unknown: [1, null] } }),
  ];
  for (const [index, one] of sent.entries()) {
    const expected = await post(oracle.url, one);
    const answer = await post(app.network.url, one, await bearer(app, String(one['userId'])));
    const seen = { status: answer.status, body: answer.body };
    assert.deepEqual(seen, { status: expected.status, body: expected.body }, `request ${index}`);
    assert.deepEqual(seen, { status: 200, body: { success: true } }, `request ${index}`);
  }
});

test(
  "after a switch Ben owns the phone, where the article's upsert leaves it to Anna",
  options,
  async () => {
    await using app = await startShopApp('required');
    await using oracle = await startArticleBackEnd(app.network.database.url);
    const annas = body();
    const bens = { ...annas, userId: 'ben' };
    for (const one of [annas, bens]) {
      assertAnswered(await post(oracle.url, one), 200);
      assertAnswered(
        await post(app.network.url, one, await bearer(app, one.userId as string)),
        200,
      );
    }

    assert.equal(await oracle.ownerOf('dd96dec43fb81c97'), 'anna');
    const { body: list } = await app.network.backEnd.get('/v1/installations');
    const [installation] = list['data'] as unknown as readonly { user: { id: string } }[];
    assert.equal(installation?.user.id, 'ben');
  },
);
