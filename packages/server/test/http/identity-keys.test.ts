import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { after, test } from 'node:test';
import { SignJWT, type CryptoKey, type KeyObject } from 'jose';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { captureLog } from './captured-log.ts';
import { digestDatabase, dumpDatabase } from './database-digest.ts';

const log = captureLog();
const network = await startNetwork({ role: 'api', logger: log.logger });
after(() => network[Symbol.asyncDispose]());
const PATH = '/v1/app/identity-keys';

/** An app without keys, and what its owner and phones can do. */
async function createOwner() {
  const app = await network.provision({ identityKeys: [] });
  const backEnd = new BackEnd(network.url, app.secretKey);
  return {
    app,
    backEnd,
    add: (body: unknown, headers = {}) => backEnd.request('POST', PATH, body, headers),
    retire: (kid: string) => backEnd.request('DELETE', `${PATH}/${kid}`),
    phone: () => new Device(network.url, app, network.issuer),
    async kids() {
      const { body } = await backEnd.get(PATH);
      return (body['data'] as unknown as readonly { readonly kid: string }[]).map(({ kid }) => kid);
    },
  };
}

type Owner = Awaited<ReturnType<typeof createOwner>>;

/** A back end's key pair with its public half as it is sent. */
function createKey(type: 'ES256' | 'EdDSA' | 'RS256') {
  const { publicKey, privateKey } = generatePair(type);
  const jwk: JsonWebKey = publicKey.export({ format: 'jwk' });
  return { type, privateKey, jwk, privateJwk: privateKey.export({ format: 'jwk' }) };
}

function generatePair(type: 'ES256' | 'EdDSA' | 'RS256') {
  if (type === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (type === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2_048 });
}

function sign(
  { app }: Owner,
  phone: Device,
  header: { readonly alg: string; readonly kid?: string },
  key: KeyObject | CryptoKey | Uint8Array,
): Promise<string> {
  const iat = Math.floor(network.clock.now().getTime() / 1_000);
  const claims = { sub: 'anna', aud: app.id, iid: phone.id, iat, exp: iat + 300 };
  return new SignJWT({ ...claims, jti: randomBytes(16).toString('hex') })
    .setProtectedHeader(header)
    .sign(key);
}

async function signIn(
  owner: Owner,
  header: { readonly alg: string; readonly kid?: string },
  key: KeyObject | CryptoKey | Uint8Array,
) {
  const phone = owner.phone();
  return phone.sync({ user: { id: 'anna', assertion: await sign(owner, phone, header, key) } });
}

for (const type of ['ES256', 'EdDSA', 'RS256'] as const) {
  test(`a public key for ${type} vouches from its answer on, until it is retired`, async () => {
    const owner = await createOwner();
    const key = createKey(type);
    const answer = await owner.add({ kid: 'k1', public_jwk: { ...key.jwk, use: 'sig' } });
    assertAnswered(answer, 201);
    assert.equal(answer.body['algorithm'], type);
    assert.deepEqual(answer.body['public_jwk'], key.jwk);
    assert.deepEqual((await owner.backEnd.get(PATH)).body['data'], [answer.body]);
    for (const kid of [{ kid: 'k1' }, {}]) {
      assertAnswered(await signIn(owner, { alg: type, ...kid }, key.privateKey), 201);
    }
    assertAnswered(await owner.retire('k1'), 204);
    assertProblem(
      await signIn(owner, { alg: type, kid: 'k1' }, key.privateKey),
      'assertion_invalid',
    );
    assert.deepEqual(await owner.kids(), []);
    assertProblem(await owner.retire('k1'), 'not_found');
  });
}

test('a shared secret vouches, and is never seen again', async () => {
  const owner = await createOwner();
  const secret = randomBytes(32);
  const text = secret.toString('base64');
  const answer = await owner.add({ kid: 'h1', secret: text });
  assertAnswered(answer, 201);
  assert.equal(answer.body['algorithm'], 'HS256');
  assert.equal(answer.body['public_jwk'], null);
  assertAnswered(await signIn(owner, { alg: 'HS256', kid: 'h1' }, secret), 201);
  const everything = JSON.stringify([answer.body, (await owner.backEnd.get(PATH)).body]);
  const kept = everything + log.text() + (await dumpDatabase(network.homing.db));
  for (const form of [text, secret.toString('base64url'), secret.toString('hex')]) {
    assert.ok(!kept.includes(form.replace(/=+$/, '')));
  }
});

test('two keys may be live; a third takes the place of one that is retired', async () => {
  const owner = await createOwner();
  const keys = ['a', 'b', 'c', 'd'].map((kid) => ({ kid, public_jwk: createKey('ES256').jwk }));
  const answers = await Promise.all(keys.map((key) => owner.add(key)));
  const refused = answers.filter(({ status }) => status !== 201);
  assert.equal(refused.length, 2);
  for (const answer of refused) assertProblem(answer, 'too_many_keys');
  const [first = ''] = await owner.kids();
  assertAnswered(await owner.retire(first), 204);
  const next = { public_jwk: createKey('ES256').jwk };
  assertProblem(await owner.add({ kid: first, ...next }), 'validation_failed', '/kid');
  assertAnswered(await owner.add({ kid: 'e', ...next }), 201);
});

test('a repetition gets the same answer, and another app has its own names', async () => {
  const [owner, other] = [await createOwner(), await createOwner()];
  const body = { kid: 'same', public_jwk: createKey('EdDSA').jwk };
  const headers = { 'idempotency-key': 'once' };
  const first = await owner.add(body, headers);
  const second = await owner.add(body, headers);
  assertAnswered(first, 201);
  assert.deepEqual(second.body, first.body);
  assert.equal(second.headers.get('idempotent-replayed'), 'true');
  assertAnswered(await other.add(body), 201);
  assertAnswered(await other.retire('same'), 204);
  assert.deepEqual(await owner.kids(), ['same']);
});

test('what cannot be the id of a key is no key to retire', async () => {
  const owner = await createOwner();
  for (const kid of ['%00', 'a%20b', '%C3%A9', 'x'.repeat(129)]) {
    assertProblem(await owner.retire(kid), 'validation_failed');
  }
});

test('keys are on record: who added and retired which, never what they are', async () => {
  const owner = await createOwner();
  assertAnswered(await owner.add({ kid: 'h', secret: 's'.repeat(43) }), 201);
  assertAnswered(await owner.retire('h'), 204);
  const rows = await network.homing.db<{ action: string; actor: string; after: object | null }[]>`
    select action, actor, after from audit where subject like 'identity_key/%'
    order by audit_ref desc limit 2`;
  assert.deepEqual(
    rows.map(({ action, after }) => [action, after]),
    [
      ['identity_key.retire', null],
      ['identity_key.add', { key_id: 'h', algorithm: 'HS256' }],
    ],
  );
  assert.ok(rows.every(({ actor }) => actor.endsWith(owner.app.secretKey.slice(-4))));
});

const ec = createKey('ES256');
const rsa = createKey('RS256');
const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
const BAD: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['no key at all', {}, '/kid'],
  ['no kid', { kid: undefined, public_jwk: ec.jwk }, '/kid'],
  ['an empty kid', { kid: '', public_jwk: ec.jwk }, '/kid'],
  ['a kid that is a path', { kid: '../../etc', public_jwk: ec.jwk }, '/kid'],
  ['a kid with a space', { kid: 'my key', public_jwk: ec.jwk }, '/kid'],
  ['a kid that means a folder', { kid: '..', public_jwk: ec.jwk }, '/kid'],
  ['a long kid', { kid: 'x'.repeat(129), public_jwk: ec.jwk }, '/kid'],
  ['a kid that is not the key’s', { public_jwk: { ...ec.jwk, kid: 'other' } }, '/kid'],
  ['a private EC key', { public_jwk: ec.privateJwk }, '/public_jwk/d'],
  ['a private Ed25519 key', { public_jwk: createKey('EdDSA').privateJwk }, '/public_jwk/d'],
  ['a private RSA key', { public_jwk: rsa.privateJwk }, '/public_jwk/d'],
  ['half a private RSA key', { public_jwk: { ...rsa.jwk, qi: 'AA' } }, '/public_jwk/qi'],
  ['a shared secret as JWK', { public_jwk: { kty: 'oct', k: 'AA' } }, '/public_jwk/k'],
  ['a kind of key that we do not know', { public_jwk: { kty: 'oct' } }, '/public_jwk/kty'],
  ['__proto__ as kind', { public_jwk: { kty: 'constructor' } }, '/public_jwk/kty'],
  ['another curve', { public_jwk: p384.export({ format: 'jwk' }) }, '/public_jwk/crv'],
  ['X25519', { public_jwk: { kty: 'OKP', crv: 'X25519', x: 'AA' } }, '/public_jwk/crv'],
  ['a key for encryption', { public_jwk: { ...rsa.jwk, use: 'enc' } }, '/public_jwk/use'],
  ['a key to sign with', { public_jwk: { ...ec.jwk, key_ops: ['sign'] } }, '/public_jwk/key_ops'],
  ['another algorithm', { public_jwk: { ...rsa.jwk, alg: 'PS256' } }, '/public_jwk/alg'],
  ['a short RSA key', { public_jwk: weak.export({ format: 'jwk' }) }, '/public_jwk/n'],
  ['a tiny exponent', { public_jwk: { ...rsa.jwk, e: 'Aw' } }, '/public_jwk/n'],
  ['a point off the curve', { public_jwk: { ...ec.jwk, x: ec.jwk.y } }, '/public_jwk'],
  ['half a point', { public_jwk: { ...ec.jwk, y: undefined } }, '/public_jwk'],
  ['a number as coordinate', { public_jwk: { ...ec.jwk, y: 1 } }, '/public_jwk'],
  ['a short secret', { secret: randomBytes(31).toString('base64') }, '/secret'],
  ['a long secret', { secret: randomBytes(257).toString('base64') }, '/secret'],
  ['a secret that is no base64', { secret: '*'.repeat(64) }, '/secret'],
];

test(`${BAD.length} keys that cannot vouch are refused, and nothing is stored`, async (t) => {
  const owner = await createOwner();
  assert.deepEqual(await owner.kids(), []);
  const before = await digestDatabase(network.homing.db);
  for (const [title, body, pointer] of BAD) {
    await t.test(title, async () => {
      const answer = await owner.add({ ...(title !== 'no key at all' && { kid: 'k' }), ...body });
      assertProblem(answer, 'validation_failed', pointer);
      assert.ok(!JSON.stringify(answer.body).includes(String(ec.privateJwk.d)));
    });
  }
  assertProblem(
    await owner.add({ kid: 'k', public_jwk: ec.jwk, secret: 's'.repeat(43) }),
    'validation_failed',
  );
  assert.equal(await digestDatabase(network.homing.db), before);
  assert.ok(!log.text().includes(String(ec.privateJwk.d)));
});

test('a rotation under load refuses no assertion', async (t) => {
  const owner = await createOwner();
  const [old, next] = [createKey('ES256'), createKey('EdDSA')];
  const load = async (type: string, kid: string, key: KeyObject): Promise<void> => {
    const answers = Array.from({ length: 40 }, () => signIn(owner, { alg: type, kid }, key));
    for (const answer of await Promise.all(answers)) assertAnswered(answer, 201);
  };
  const loadOfOld = () => load('ES256', 'old', old.privateKey);
  const loadOfNext = () => load('EdDSA', 'next', next.privateKey);
  assertAnswered(await owner.add({ kid: 'old', public_jwk: old.jwk }), 201);
  const [added] = await Promise.all([
    owner.add({ kid: 'next', public_jwk: next.jwk }),
    loadOfOld(),
  ]);
  assertAnswered(added, 201);
  await Promise.all([loadOfNext(), loadOfOld()]);
  // The back end signs with the new key alone, and what it signed before has arrived.
  const [retired] = await Promise.all([owner.retire('old'), loadOfNext()]);
  assertAnswered(retired, 204);
  await loadOfNext();
  t.diagnostic('200 sign-ins');
});
