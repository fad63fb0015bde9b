import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { Device, fcmToken } from '../../../../test/device.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { startNetwork } from '../../../../test/network.ts';
import { json } from '../../src/store/sql.ts';
import { assertProblem } from './assert-problem.ts';
import { badAssertions, type ForgeryPlaces } from './bad-assertions.ts';
import { textOf } from './text-of.ts';
import { captureLog } from './captured-log.ts';
import { digestDatabase } from './database-digest.ts';
import { createForgingKey, goodClaims, signHmac, withTwinSignature } from './forged-assertion.ts';

const log = captureLog();
const network = await startNetwork({ role: 'api', logger: log.logger });
after(() => network[Symbol.asyncDispose]());
const [key, otherKey] = [createForgingKey(), createForgingKey()];
const hmacSecret = Buffer.from('a secret of the back end that nobody can guess');
const identityKey = { keyId: 'key-1', algorithm: 'ES256' } as const;
const app = await network.provision({
  name: 'Attacked',
  identityKeys: [
    { ...identityKey, publicJwk: key.publicJwk },
    { keyId: 'hmac-1', algorithm: 'HS256', secret: hmacSecret },
  ],
});
const other = await network.provision({
  name: 'Other',
  identityKeys: [{ ...identityKey, publicJwk: otherKey.publicJwk }],
});
const backEnd = new BackEnd(network.url, app.secretKey);
const phone = () => new Device(network.url, app, network.issuer);
const header = JSON.stringify({ alg: 'ES256', kid: 'key-1' });

const anna = phone();
assertAnswered(
  await anna.sync({
    token: fcmToken(),
    user: {
      id: 'anna',
      assertion: key.signText(
        header,
        JSON.stringify(goodClaims(app.id, 'anna', anna.id, network.clock.now())),
      ),
    },
  }),
  201,
);
const [annaLink] = await linksTo('anna');

function places(installationId: string): ForgeryPlaces {
  return {
    appId: app.id,
    otherAppId: other.id,
    userId: 'anna',
    installationId,
    now: network.clock.now(),
    key,
    otherKey,
    hmacSecret,
  };
}

async function linksTo(userId: string): Promise<readonly string[]> {
  const user = await backEnd.get(`/v1/users/${userId}`);
  const installations = user.body['installations'] as unknown as readonly { id: string }[];
  return installations.map(({ id }) => id);
}

const titles = badAssertions(places(anna.id)).map(([title]) => title);
/** Who is known, who is signed in where, and which proofs were used. */
const IDENTITY_TABLES = /^(app_user|link|proof|user_tombstone)=/;

async function digestOfIdentity(): Promise<readonly string[]> {
  const digest = await digestDatabase(network.homing.db);
  return digest.split('\n').filter((line) => IDENTITY_TABLES.test(line));
}

test(`S35 ${titles.length} forged assertions sign nobody in`, async (t) => {
  assert.ok(titles.length >= 150);
  const before = await digestOfIdentity();
  assert.equal(before.length, 4);
  for (const [index, title] of titles.entries()) {
    await t.test(title, async () => {
      const mallory = phone();
      const forged = badAssertions(places(mallory.id))[index]?.[1] ?? '';
      const answer = await mallory.sync({
        token: fcmToken(),
        user: { id: 'anna', assertion: forged },
      });
      assertProblem(answer, 'assertion_invalid');
      assert.deepEqual(await linksTo('anna'), [annaLink]);
      const installation = await backEnd.installation(mallory.id);
      assert.equal(installation['user'], null);
      assert.notEqual(installation['token'], null);
    });
  }
  assert.deepEqual(await digestOfIdentity(), before);
});

test('the same assertions open neither simple route', async (t) => {
  const before = await digestDatabase(network.homing.db);
  let refused = 0;
  for (const [title, forged] of badAssertions(places('phone-1'))) {
    // Over HTTP a bearer is one word, and some are only about the installation, or honest for
    // another user.
    if (/installation|another user|user in capitals|user with a space/.test(title)) continue;
    if (/[^\x21-\x7e]/.test(forged)) continue;
    for (const [method, path] of [
      ['POST', '/register-token'],
      ['DELETE', '/delete-token'],
    ] as const) {
      // A logout takes a proof whatever its times.
      if (method === 'DELETE' && /end|issue|start/.test(title)) continue;
      const answer = await request(network.url + path, {
        method,
        headers: { authorization: `Bearer ${forged}` },
        body: { token: fcmToken().value, userId: 'anna', deviceId: 'phone-1' },
      });
      assert.ok(
        // 431: longer than any header may be.
        [401, 431].includes(answer.status),
        `${title}: ${JSON.stringify(answer.body)}`,
      );
      refused += 1;
    }
  }
  assert.equal(await digestDatabase(network.homing.db), before);
  t.diagnostic(`${refused} refusals`);
});

function claimsOfBen(device: Device): string {
  return JSON.stringify(goodClaims(app.id, 'ben', device.id, network.clock.now()));
}

test('an honest assertion signs in: ES256 with and without key id, and HS256', async () => {
  const hmac = { alg: 'HS256', kid: 'hmac-1' };
  const honest: readonly ((device: Device) => string)[] = [
    (device) => key.signText(header, claimsOfBen(device)),
    (device) => key.signText(JSON.stringify({ alg: 'ES256' }), claimsOfBen(device)),
    (device) => signHmac(JSON.stringify(hmac), claimsOfBen(device), hmacSecret),
    (device) => signHmac(JSON.stringify({ alg: 'HS256' }), claimsOfBen(device), hmacSecret),
  ];
  for (const sign of honest) {
    const device = phone();
    assertAnswered(await device.sync({ user: { id: 'ben', assertion: sign(device) } }), 201);
  }
  assert.equal((await linksTo('ben')).length, honest.length);
});

test('the installation may be named in capitals, and clocks may differ by a minute', async () => {
  const device = phone();
  const claims = goodClaims(app.id, 'cleo', device.id.toUpperCase(), network.clock.now());
  const early = { ...claims, iat: claims.iat + 45, exp: claims.exp + 45 };
  const assertion = key.signText(header, JSON.stringify(early));
  assertAnswered(await device.sync({ user: { id: 'cleo', assertion } }), 201);
});

test('keys that another process adds vouch at once, those it retires two seconds longer', async () => {
  const next = createForgingKey();
  const rotated = await network.provision({
    identityKeys: [{ ...identityKey, publicJwk: key.publicJwk }],
  });
  const device = new Device(network.url, rotated, network.issuer);
  const claims = (userId: string) =>
    JSON.stringify(goodClaims(rotated.id, userId, device.id, network.clock.now()));
  const signIn = (userId: string, assertion: string) =>
    device.sync({ user: { id: userId, assertion } });
  assertAnswered(await signIn('anna', key.signText(header, claims('anna'))), 201);
  const { db } = network.homing;
  for (const [keyId, newHeader] of [
    ['key-2', { alg: 'ES256', kid: 'key-2' }],
    ['key-3', { alg: 'ES256' }],
  ] as const) {
    await db`
      insert into identity_key (app_ref, key_id, algorithm, public_jwk, created_at)
      select app_ref, ${keyId}, 'ES256', ${json(next.publicJwk)}, now()
      from app where id = ${rotated.id.slice(4)}`;
    const assertion = next.signText(JSON.stringify(newHeader), claims('cleo'));
    assertAnswered(await signIn('cleo', assertion), 200);
    await db`delete from identity_key where key_id = ${keyId}`;
    await network.clock.advance(2_001);
    assertAnswered(await signIn('anna', key.signText(header, claims('anna'))), 200);
  }
  await db`
    update identity_key set retired_at = now()
    where key_id = 'key-1' and app_ref = (select app_ref from app where id = ${rotated.id.slice(4)})`;
  await network.clock.advance(2_001);
  assertProblem(await signIn('ben', key.signText(header, claims('ben'))), 'assertion_invalid');
});

test('a jti of any length makes an assertion serve once', async () => {
  for (const jti of ['x'.repeat(256), randomBytes(3_300).toString('base64url')]) {
    const device = phone();
    const claims = { ...goodClaims(app.id, 'dora', device.id, network.clock.now()), jti };
    const assertion = key.signText(header, JSON.stringify(claims));
    assertAnswered(await device.sync({ user: { id: 'dora', assertion } }), 201);
    assertAnswered(await device.signOut(), 204);
    const later = key.signText(header, JSON.stringify({ ...claims, exp: claims.exp + 1 }));
    const answer = await device.sync({ user: { id: 'dora', assertion: later } });
    assertProblem(answer, 'assertion_invalid');
  }
});

test('another signature of the same text is the same assertion', async () => {
  const device = phone();
  const { jti: _, ...claims } = goodClaims(app.id, 'dora', device.id, network.clock.now());
  const assertion = key.signText(header, JSON.stringify(claims));
  assertAnswered(await device.sync({ user: { id: 'dora', assertion } }), 201);
  assertAnswered(await device.signOut(), 204);
  const twin = withTwinSignature(assertion);
  assert.notEqual(twin, assertion);
  for (const repeated of [assertion, twin]) {
    const answer = await device.sync({ user: { id: 'dora', assertion: repeated } });
    assertProblem(answer, 'assertion_invalid');
    assert.match(textOf(answer.body['detail']), /used before/);
  }
});

test('no assertion stands in the log', () => {
  assert.doesNotMatch(log.text(), /eyJ[A-Za-z0-9_-]{20}/);
  assert.ok(!log.text().includes('request failed'), log.text());
});
