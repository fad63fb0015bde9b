import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertAnswered } from '../../../test/answered.ts';
import { apnsToken, type Device } from '../../../test/device.ts';
import { startNetwork, type Network } from '../../../test/network.ts';
import {
  createHoming,
  signAssertion,
  signUser,
  type Homing,
  type KeyMaterial,
  type SigningAlgorithm,
} from '../src/index.ts';

let network: Network;
let homing: Homing;
before(async () => {
  network = await startNetwork({ role: 'api' });
  homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
  // Two keys may be live, and the network has brought its own.
  for (const { kid } of await homing.identityKeys.list()) await homing.identityKeys.retire(kid);
});
after(() => network[Symbol.asyncDispose]());

interface Case {
  readonly algorithm: SigningAlgorithm;
  readonly key: KeyMaterial;
  readonly register: (kid: string) => Parameters<Homing['identityKeys']['add']>[0];
}

function pair(
  algorithm: SigningAlgorithm,
  keys: Readonly<Record<'publicKey' | 'privateKey', KeyObject>>,
): Case {
  const { publicKey, privateKey } = keys;
  const register = (kid: string) => ({
    kid,
    public_jwk: { ...publicKey.export({ format: 'jwk' }) },
  });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { algorithm, key: algorithm === 'ES256' ? pem : privateKey, register };
}

const secret = randomBytes(48);
const cases: readonly Case[] = [
  pair('ES256', generateKeyPairSync('ec', { namedCurve: 'prime256v1' })),
  pair('EdDSA', generateKeyPairSync('ed25519')),
  pair('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })),
  {
    algorithm: 'HS256',
    key: secret.toString('base64'),
    register: (kid) => ({ kid, secret: secret.toString('base64') }),
  },
];

/** Signs in with a proof, and tells the answer. */
async function signIn(device: Device, userId: string, proof: Readonly<Record<string, string>>) {
  return device.sync({ token: apnsToken(), user: { id: userId, ...proof } });
}

for (const { algorithm, key, register } of cases) {
  test(`an assertion by ${algorithm} signs in its user, on its installation, once`, async () => {
    const keyId = randomUUID();
    assert.equal((await homing.identityKeys.add(register(keyId))).algorithm, algorithm);
    const [phone, other] = [network.device(), network.device()];
    const facts = { userId: 'sara', installationId: phone.id, appId: network.app.id, key };

    const assertion = signAssertion({ ...facts, keyId, algorithm });
    assertAnswered(await signIn(phone, 'sara', { assertion }), 201);
    assert.equal((await homing.installations.get(phone.id)).user?.id, 'sara');

    // Without its name the key is found, too; each assertion is a new one.
    const second = signAssertion({ ...facts, expiresInSeconds: 600 });
    assert.notEqual(second, assertion);
    assertAnswered(await signIn(phone, 'sara', { assertion: second }), 200);
    const refused = [
      await signIn(phone, 'maria', { assertion: signAssertion(facts) }),
      await signIn(other, 'sara', { assertion: signAssertion(facts) }),
      await signIn(network.device(), 'sara', { assertion }),
    ];
    for (const { body } of refused) assert.equal(body['code'], 'assertion_invalid');
    await homing.identityKeys.retire(keyId);
  });
}

test('the claims are those that docs/identity.md names', () => {
  const facts = { userId: 'sara', installationId: 'i', appId: 'app_1', key: secret };
  const [header, claims] = signAssertion({ ...facts, keyId: 'key-1' })
    .split('.')
    .slice(0, 2)
    .map(
      (part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>,
    );
  assert.deepEqual(header, { alg: 'HS256', typ: 'JWT', kid: 'key-1' });
  assert.deepEqual(Object.keys(claims ?? {}), ['sub', 'aud', 'iid', 'iat', 'exp', 'jti']);
  assert.equal(Number(claims?.['exp']) - Number(claims?.['iat']), 300);
});

test('a proof without an installation serves the simple routes', async () => {
  const { key, register } = cases[0] ?? assert.fail();
  await homing.identityKeys.add(register('simple'));
  const facts = { userId: 'anna', installationId: null, appId: network.app.id, key };
  const answer = await fetch(`${network.url}/register-token`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${signAssertion(facts)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      token: apnsToken().value,
      userId: 'anna',
      platform: 'ios',
      deviceId: 'one',
      provider: 'apns',
    }),
  });
  assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
  assert.equal((await homing.users.get('anna')).installations.length, 1);
  await homing.identityKeys.retire('simple');
});

test('a static signature signs in where the app allows it', async () => {
  await homing.identityKeys.add({ kid: 'static', secret: secret.toString('base64') });
  await homing.app.update({ static_signatures: true });
  const phone = network.device();

  const signature = signUser('maria', secret.toString('base64'));

  assert.match(signature, /^[0-9a-f]{64}$/);
  assert.equal(signature, signUser('maria', secret));
  assertAnswered(await signIn(phone, 'maria', { signature }), 201);
  assert.equal((await homing.installations.get(phone.id)).user?.id, 'maria');
});

test('what no server would take is refused before it is signed, without showing the key', () => {
  const facts = { userId: 'sara', installationId: 'i', appId: 'app_1', key: secret };
  const ed = generateKeyPairSync('ed25519');
  const refused: readonly [Partial<Parameters<typeof signAssertion>[0]>, RegExp][] = [
    [{ userId: '' }, /userId/],
    [{ appId: ' ' }, /appId/],
    [{ installationId: '' }, /installationId/],
    [{ expiresInSeconds: 601 }, /1 to 600/],
    [{ expiresInSeconds: 0 }, /1 to 600/],
    [{ key: ed.privateKey, algorithm: 'ES256' }, /for EdDSA, and ES256 is wanted/],
    [{ key: ed.publicKey }, /public half/],
    [{ key: generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey }, /P-256/],
    [{ key: '-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----' }, /line breaks/],
    [{ key: ed.publicKey.export({ type: 'spki', format: 'pem' }).toString() }, /PEM/],
    [{ key: 'hunter2' }, /32 bytes/],
    [{ key: randomBytes(16) }, /32 bytes/],
  ];
  for (const [wrong, message] of refused) {
    assert.throws(
      () => signAssertion({ ...facts, ...wrong }),
      (error) =>
        error instanceof TypeError && message.test(error.message) && !/hunter2/.test(error.message),
    );
  }
  assert.throws(() => signUser('', secret), TypeError);
  assert.throws(() => signUser('sara', 'short'), TypeError);
});
