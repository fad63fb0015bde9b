import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { Device, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { KeySetBook, type FetchedKeySet } from '../../src/access/key-set-book.ts';
import { assertProblem } from './assert-problem.ts';
import { captureLog } from './captured-log.ts';
import { createForgingKey, goodClaims, type ForgingKey } from './forged-assertion.ts';
import { KeySetServer } from './key-set-server.ts';
import { SimpleClient } from './simple-client.ts';

const publisher = new KeySetServer();
await publisher.listen();
const log = captureLog();
const network = await startNetwork({
  role: 'api',
  logger: log.logger,
  outboundHosts: [publisher.host],
});
publisher.certify(await network.authority.issue(['127.0.0.1']));
after(async () => {
  await network[Symbol.asyncDispose]();
  await publisher[Symbol.asyncDispose]();
});
const MINUTE = 60_000;

/** An app whose keys are published and nowhere else. */
async function createShop() {
  const app = await network.provision({ identityKeys: [] });
  const backEnd = new BackEnd(network.url, app.secretKey);
  assertAnswered(await backEnd.request('PATCH', '/v1/app', { jwks_url: publisher.url }), 200);
  publisher.takeRequests();
  const key = createForgingKey();
  const phone = () => new Device(network.url, app, network.issuer);
  const assertion = (
    device: { readonly id: string },
    userId: string,
    by = key,
    kid: string | null = 'k1',
  ) =>
    by.signText(
      JSON.stringify({ alg: 'ES256', ...(kid !== null && { kid }) }),
      JSON.stringify(goodClaims(app.id, userId, device.id, network.clock.now())),
    );
  const signIn = (by?: ForgingKey, kid?: string | null): Promise<Answer> => {
    const device = phone();
    return device.sync({ user: { id: 'anna', assertion: assertion(device, 'anna', by, kid) } });
  };
  const userOf = async (device: Device) => (await backEnd.installation(device.id))['user']?.['id'];
  return {
    app,
    backEnd,
    key,
    jwk: { ...key.publicJwk, kid: 'k1' },
    phone,
    assertion,
    signIn,
    userOf,
  };
}

test('a published key vouches, and is fetched once for many', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  const answers = await Promise.all(Array.from({ length: 30 }, () => shop.signIn()));
  for (const answer of answers) assertAnswered(answer, 201);
  assertAnswered(await shop.signIn(shop.key, null), 201);
  assert.equal(publisher.takeRequests(), 1);
});

test('keys that cannot vouch are passed over, wherever they stand in the set', async () => {
  const shop = await createShop();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
  const unusable = [
    null,
    'key',
    { kty: 'oct', k: 'c2VjcmV0', kid: 'k1' },
    { ...privateKey.export({ format: 'jwk' }), kid: 'k1' },
    { ...weak.export({ format: 'jwk' }), kid: 'k1' },
    { ...shop.jwk, use: 'enc' },
    { ...shop.jwk, alg: 'ES384' },
  ];
  publisher.publish(unusable as readonly object[]);
  assertProblem(await shop.signIn(), 'assertion_invalid');
  publisher.publish([...unusable, shop.jwk] as readonly object[]);
  network.clock.advance(MINUTE);
  assertAnswered(await shop.signIn(), 201);
});

test('an unknown key is looked for, at most once a minute', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  assertAnswered(await shop.signIn(), 201);
  const next = createForgingKey();
  const nextJwk = { ...next.publicJwk, kid: 'k2' };
  publisher.publish([shop.jwk, nextJwk]);
  for (let index = 0; index < 10; index += 1) {
    assertProblem(await shop.signIn(next, `made-up-${index}`), 'assertion_invalid');
  }
  assert.equal(publisher.takeRequests(), 1);
  network.clock.advance(MINUTE);
  assertAnswered(await shop.signIn(next, 'k2'), 201);
  assertAnswered(await shop.signIn(), 201);
  assert.equal(publisher.takeRequests(), 1);
});

const LIFETIMES: readonly (readonly [string, number])[] = [
  ['max-age=300', 300],
  ['public, max-age="300"', 300],
  ['max-age=1', 60],
  ['no-store', 60],
  ['no-cache, max-age=300', 60],
  ['max-age=9999999999', 86_400],
  ['public', 600],
];
for (const [control, seconds] of LIFETIMES) {
  test(`a set with Cache-Control: ${control} is good for ${seconds} seconds`, async () => {
    const shop = await createShop();
    publisher.publish([shop.jwk], { 'cache-control': control });
    assertAnswered(await shop.signIn(), 201);
    network.clock.advance((seconds - 5) * 1_000);
    assertAnswered(await shop.signIn(), 201);
    assert.equal(publisher.takeRequests(), 1);
    network.clock.advance(6_000);
    assertAnswered(await shop.signIn(), 201);
    assert.equal(publisher.takeRequests(), 1);
  });
}

test('a key that is published no more vouches no more', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  assertAnswered(await shop.signIn(), 201);
  publisher.publish([]);
  network.clock.advance(11 * MINUTE);
  assertProblem(await shop.signIn(), 'assertion_invalid');
});

test('while the set is out of reach the last copy serves for a day, and no longer', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  assertAnswered(await shop.signIn(), 201);
  publisher.reply('reset');
  network.clock.advance(23 * 60 * MINUTE);
  assertAnswered(await shop.signIn(), 201);
  assertAnswered(await shop.signIn(), 201);
  // One attempt, and a pause after it.
  assert.equal(publisher.takeRequests(), 2);
  network.clock.advance(61 * MINUTE);
  assertUnavailable(await shop.signIn());
  publisher.publish([shop.jwk]);
  network.clock.advance(10_000);
  assertAnswered(await shop.signIn(), 201);
});

function assertUnavailable(answer: Answer): void {
  assertProblem(answer, 'keys_unavailable');
  assert.match(answer.headers.get('retry-after') ?? '', /^([1-9]|10)$/);
}

test('nobody judges a key that may be in a set which is out of reach', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  assertAnswered(await shop.signIn(), 201);
  const next = createForgingKey();
  publisher.reply('reset');
  network.clock.advance(60 * MINUTE);
  assertUnavailable(await shop.signIn(next, 'k2'));
  // Of a key in the last copy it is known who signed.
  assertProblem(await shop.signIn(next, 'k1'), 'assertion_invalid');
  publisher.publish([shop.jwk, { ...next.publicJwk, kid: 'k2' }]);
  network.clock.advance(10_000);
  assertAnswered(await shop.signIn(next, 'k2'), 201);
});

test('a key without an id is found when none of the known ones had signed', async () => {
  const shop = await createShop();
  const next = createForgingKey();
  const headers = { 'cache-control': 'max-age=86400' };
  publisher.publish([shop.key.publicJwk], headers);
  assertAnswered(await shop.signIn(shop.key, null), 201);
  publisher.publish([shop.key.publicJwk, next.publicJwk], headers);
  assertProblem(await shop.signIn(next, null), 'assertion_invalid');
  assert.equal(publisher.takeRequests(), 1);
  network.clock.advance(MINUTE);
  assertAnswered(await shop.signIn(next, null), 201);
  assertAnswered(await shop.signIn(next, 'k2'), 201);
  for (let index = 0; index < 3; index += 1) {
    assertProblem(await shop.signIn(createForgingKey(), null), 'assertion_invalid');
  }
  assert.equal(publisher.takeRequests(), 1);
});

test('whose key is in a fresh copy waits for no search of a stranger', async () => {
  const key = createForgingKey();
  const text = JSON.stringify({ keys: [{ ...key.publicJwk, kid: 'k1' }] });
  const fetched = { kind: 'fetched', text, freshSeconds: 86_400 } as const;
  const search = Promise.withResolvers<FetchedKeySet>();
  const answers = [Promise.resolve(fetched), search.promise];
  let now = 0;
  const book = new KeySetBook({
    clock: () => new Date(now),
    onFailure: () => {},
    fetchKeySet: async () => answers.shift() ?? assert.fail('asked once too often'),
  });
  const find = (keyId: string) => book.find(1, 'https://shop.example/', 'ES256', keyId);
  assert.equal((await find('k1')).keys.length, 1);
  now = MINUTE;
  const stranger = find('made-up');
  assert.equal((await find('k1')).keys.length, 1);
  search.resolve({ kind: 'failed', why: 'slow' });
  assert.deepEqual((await stranger).keys, []);
});

test('keys out of reach: the old user is signed out, the rest applies, a repetition signs in', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  const phone = shop.phone();
  const anna = { id: 'anna', assertion: shop.assertion(phone, 'anna') };
  assertAnswered(await phone.sync({ token: fcmToken(), user: anna }), 201);
  publisher.reply('reset');
  network.clock.advance(25 * 60 * MINUTE);
  const ben = { id: 'ben', assertion: shop.assertion(phone, 'ben') };
  const packet = { seq: phone.nextSeq(), token: fcmToken(), device: { label: 'handed on' } };
  const answer = await phone.sync({ ...packet, user: ben });
  assertUnavailable(answer);
  assert.deepEqual(answer.body['applied'], { token: true, user: true, device: true });
  assert.equal(await shop.userOf(phone), undefined);
  const stored = await shop.backEnd.installation(phone.id);
  assert.equal(stored['device']?.['label'], 'handed on');
  publisher.publish([shop.jwk]);
  network.clock.advance(10_000);
  assertAnswered(await phone.sync({ ...packet, user: ben }), 200);
  assert.equal(await shop.userOf(phone), 'ben');
});

test('who is signed in already, and who signs out, needs no key', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  const phone = shop.phone();
  const user = { id: 'anna', assertion: shop.assertion(phone, 'anna') };
  assertAnswered(await phone.sync({ token: fcmToken(), user }), 201);
  publisher.reply('reset');
  network.clock.advance(25 * 60 * MINUTE);
  assertAnswered(await phone.sync({ token: fcmToken(), user }), 200);
  assert.equal(await shop.userOf(phone), 'anna');
  assertAnswered(await phone.signOut(), 204);
});

test('on the simple routes keys out of reach change nothing', async () => {
  const shop = await createShop();
  publisher.reply('reset');
  const client = new SimpleClient(network.url, shop.app);
  const body = { token: fcmToken().value, userId: 'anna', deviceId: randomUUID() };
  const bearer = shop.assertion({ id: client.installationId(body.deviceId) }, 'anna');
  assertUnavailable(await client.register(body, bearer));
  assertUnavailable(await client.delete(body.token, bearer));
  publisher.publish([shop.jwk]);
  network.clock.advance(10_000);
  assertAnswered(await client.register(body, bearer), 200);
});

const USELESS = {
  'an error': { status: 500, body: '{"keys":[]}' },
  'a redirect': { status: 302, headers: { location: '/other' }, body: '' },
  'a page': { body: '<html>secret-of-the-inside</html>' },
  'no key set': { body: '{"key":[]}' },
  'a list': { body: '[]' },
  'twice the same member': { body: '{"keys":[],"keys":[]}' },
  'more than 64 KiB': { body: JSON.stringify({ keys: [], padding: 'x'.repeat(65_536) }) },
  'an answer that never becomes complete': { headers: { 'content-length': '10' }, body: '{' },
} as const;
for (const [title, reply] of Object.entries(USELESS)) {
  test(`${title} instead of a key set is an outage, and is shown to nobody`, async () => {
    const shop = await createShop();
    publisher.reply(reply);
    const answer = await shop.signIn();
    assertUnavailable(answer);
    assert.equal(publisher.takeRequests(), 1);
    assert.ok(!(JSON.stringify(answer.body) + log.text()).includes('secret-of-the-inside'));
  });
}

test('a registered key serves without any published one', async () => {
  const shop = await createShop();
  publisher.reply('reset');
  const own = createForgingKey();
  const added = { kid: 'own', public_jwk: own.publicJwk };
  assertAnswered(await shop.backEnd.request('POST', '/v1/app/identity-keys', added), 201);
  assertAnswered(await shop.signIn(own, 'own'), 201);
  assert.equal(publisher.takeRequests(), 0);
  assertAnswered(await shop.signIn(own, null), 201);
  // Who names no key may have meant a published one.
  assertUnavailable(await shop.signIn(createForgingKey(), null));
});

test('an address that the server may not ask is refused by name', async () => {
  const shop = await createShop();
  const urls = ['https://127.0.0.1/', 'https://10.0.0.1/', 'https://localhost/', 'https://[::1]/'];
  for (const url of [...urls, 'https://keys.example:8443/', `http://${publisher.host}/`]) {
    const answer = await shop.backEnd.request('PATCH', '/v1/app', { jwks_url: url });
    assertProblem(answer, 'validation_failed', '/jwks_url');
  }
});

test('what the old address published vouches for nobody after a change of address', async () => {
  const shop = await createShop();
  publisher.publish([shop.jwk]);
  assertAnswered(await shop.signIn(), 201);
  publisher.publish([]);
  const settings = { jwks_url: `${publisher.url}?new` };
  assertAnswered(await shop.backEnd.request('PATCH', '/v1/app', settings), 200);
  assertProblem(await shop.signIn(), 'assertion_invalid');
});
