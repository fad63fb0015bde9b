import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { Device, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { createForgingKey, goodClaims, signHmac } from './forged-assertion.ts';
import { SimpleClient } from './simple-client.ts';

const network = await startNetwork({ role: 'api', processes: 2 });
after(() => network[Symbol.asyncDispose]());

/** An app that takes static signatures, made with one secret. */
async function createShop() {
  const secret = randomBytes(32);
  const key = createForgingKey();
  const app = await network.provision({
    identityKeys: [
      { keyId: 'h1', algorithm: 'HS256', secret },
      { keyId: 'key-1', algorithm: 'ES256', publicJwk: key.publicJwk },
    ],
  });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const settings = { static_signatures: true };
  assertAnswered(await backEnd.request('PATCH', '/v1/app', settings), 200);
  const phone = () => new Device(network.url, app, network.issuer);
  const userOf = async (device: Device) => (await backEnd.installation(device.id))['user']?.['id'];
  const assertion = (device: Device, userId: string, aheadSeconds = 0) => {
    const now = new Date(network.clock.now().getTime() + aheadSeconds * 1_000);
    const claims = JSON.stringify(goodClaims(app.id, userId, device.id, now));
    return key.signText(JSON.stringify({ alg: 'ES256', kid: 'key-1' }), claims);
  };
  return { app, backEnd, secret, phone, userOf, assertion };
}

function signatureOf(secret: Buffer, userId: string): string {
  return createHmac('sha256', secret).update(userId).digest('hex');
}

function signed(secret: Buffer, userId: string) {
  return { user: { id: userId, signature: signatureOf(secret, userId) } };
}

test('a signature of the user id signs in on any device, as often as it is shown', async () => {
  const { phone, secret, userOf } = await createShop();
  for (const userId of ['anna', 'anna', 'Änne-😀']) {
    const device = phone();
    assertAnswered(await device.sync({ token: fcmToken(), ...signed(secret, userId) }), 201);
    assert.equal(await userOf(device), userId);
    assertAnswered(await device.signOut(), 204);
    assertAnswered(await device.sync(signed(secret, userId)), 200);
  }
});

test('a signature that is not exactly that of the user id signs nobody in', async () => {
  const { app, phone, secret, userOf } = await createShop();
  const right = signatureOf(secret, 'anna');
  const base64 = createHmac('sha256', secret).update('anna').digest('base64url');
  const wrong = [
    '',
    right.toUpperCase(),
    right.slice(0, -2),
    `${right}00`,
    `0x${right}`,
    ` ${right}`,
    base64,
    '0'.repeat(64),
    signatureOf(secret, 'ben'),
    signatureOf(secret, 'Anna'),
    signatureOf(secret, ''),
    signatureOf(randomBytes(32), 'anna'),
    signatureOf(Buffer.from(app.id), 'anna'),
    signatureOf(Buffer.alloc(0), 'anna'),
    createHmac('sha512', secret).update('anna').digest('hex').slice(0, 64),
  ];
  for (const signature of wrong) {
    const device = phone();
    assertAnswered(await device.sync({ token: fcmToken(), ...signed(secret, 'cleo') }), 201);
    const answer = await device.sync({ user: { id: 'anna', signature } });
    assertProblem(answer, 'assertion_invalid');
    // Rule R6, as for every bad proof.
    assert.equal(await userOf(device), undefined);
  }
});

async function addSecret(backEnd: BackEnd, kid: string, secret: Buffer): Promise<void> {
  const key = { kid, secret: secret.toString('base64') };
  assertAnswered(await backEnd.request('POST', '/v1/app/identity-keys', key), 201);
}

test('signatures are worth nothing where they are not switched on, or their secret is retired', async () => {
  const { backEnd, phone, secret } = await createShop();
  assertAnswered(await phone().sync(signed(secret, 'anna')), 201);
  const off = { static_signatures: false };
  assertAnswered(await backEnd.request('PATCH', '/v1/app', off), 200);
  assertProblem(await phone().sync(signed(secret, 'anna')), 'assertion_invalid');
  assertAnswered(await backEnd.request('PATCH', '/v1/app', { static_signatures: true }), 200);
  assertProblem(await phone().sync(signed(secret, 'anna')), 'assertion_invalid');
  await addSecret(backEnd, 'h2', secret);
  assertAnswered(await phone().sync(signed(secret, 'anna')), 201);
  assertAnswered(await backEnd.request('DELETE', '/v1/app/identity-keys/h2'), 204);
  assertProblem(await phone().sync(signed(secret, 'anna')), 'assertion_invalid');
});

test('after a revocation no signature of that time signs in; one of a newer secret does', async () => {
  const { backEnd, phone, secret, userOf } = await createShop();
  const device = phone();
  assertAnswered(await device.sync(signed(secret, 'anna')), 201);
  assertAnswered(await backEnd.request('POST', '/v1/users/anna/revoke', {}), 200);
  network.clock.advance(365 * 86_400_000);
  assertProblem(await device.sync(signed(secret, 'anna')), 'assertion_invalid');
  assertProblem(await phone().sync(signed(secret, 'anna')), 'assertion_invalid');
  // On that device the revocation was the back end's last word, whoever is meant.
  assertProblem(await device.sync(signed(secret, 'ben')), 'assertion_invalid');
  assertAnswered(await phone().sync(signed(secret, 'ben')), 201);
  const next = randomBytes(32);
  const path = '/v1/app/identity-keys';
  assertAnswered(await backEnd.request('DELETE', `${path}/h1`), 204);
  const key = { kid: 'h2', secret: next.toString('base64') };
  assertAnswered(await backEnd.request('POST', path, key), 201);
  assertAnswered(await device.sync(signed(next, 'anna')), 200);
  assert.equal(await userOf(device), 'anna');
});

test('a signature does not bring back a user who was erased', async () => {
  const { backEnd, phone, secret } = await createShop();
  const device = phone();
  assertAnswered(await device.sync(signed(secret, 'anna')), 201);
  assertAnswered(await backEnd.request('DELETE', '/v1/users/anna'), 204);
  network.clock.advance(3_600_000);
  assertProblem(await device.sync(signed(secret, 'anna')), 'assertion_invalid');
});

test('what a back end wrote last stands against any signature', async () => {
  const { backEnd, phone, secret, userOf } = await createShop();
  const device = phone();
  assertAnswered(await device.sync(signed(secret, 'anna')), 201);
  network.clock.advance(1_000);
  assertAnswered(await backEnd.request('DELETE', `/v1/installations/${device.id}/user`), 204);
  assertProblem(await device.sync(signed(secret, 'anna')), 'assertion_invalid');
  assert.equal(await userOf(device), undefined);
});

test('a logout without a sequence is given one: what was sent before is late, what follows signs in', async () => {
  for (const isForked of [false, true]) {
    const { phone, secret, userOf } = await createShop();
    const device = phone();
    assertAnswered(await device.sync({ token: fcmToken(), ...signed(secret, 'anna') }), 201);
    const late = { seq: device.nextSeq() + 10, ...signed(secret, 'anna') };
    // Under the sequence of the login a logout is a client's mistake, and counts as without.
    const query = isForked ? '?seq=1' : '';
    const logout = await device.request('DELETE', `/user${query}`);
    assertAnswered(logout, 204);
    assert.equal(await userOf(device), undefined);
    const superseded = await device.sync(late);
    assertAnswered(superseded, 200);
    assert.deepEqual(superseded.body['reason'], { user: 'superseded' });
    assert.equal(await userOf(device), undefined);
    const seq = Number(logout.headers.get('homing-seq'));
    assert.equal(superseded.body['seq']?.['user'], seq);
    assertAnswered(await device.sync({ seq: seq + 1, ...signed(secret, 'anna') }), 200);
    assert.equal(await userOf(device), 'anna');
  }
});

test('the sequence of such a logout comes after everything else that the client has counted', async () => {
  const { phone, secret, userOf } = await createShop();
  const device = phone();
  assertAnswered(await device.sync({ seq: 1, token: fcmToken() }), 201);
  const topic = await device.request('PUT', '/topics/news?seq=5000', { scope: 'device' });
  assert.ok(topic.status < 300, JSON.stringify(topic.body));
  assertAnswered(await device.request('DELETE', '/user'), 204);
  assertAnswered(await device.sync({ seq: 5001, ...signed(secret, 'anna') }), 200);
  assert.equal(await userOf(device), undefined);
});

test('on the simple routes, which have no sequences, a logout bars all signatures of that time', async () => {
  const { app, phone, secret } = await createShop();
  const device = phone();
  const token = fcmToken();
  assertAnswered(await device.sync({ token, ...signed(secret, 'anna') }), 201);
  network.clock.advance(1_000);
  const client = new SimpleClient(network.url, app);
  assertAnswered(await client.delete(token.value, app.secretKey), 200);
  assertProblem(await device.sync(signed(secret, 'anna')), 'assertion_invalid');
});

test('a signature takes no token over; the nonce does', async () => {
  const { phone, secret, userOf } = await createShop();
  const [first, second] = [phone(), phone()];
  const token = fcmToken();
  assertAnswered(await first.sync({ token, ...signed(secret, 'anna') }), 201);
  const packet = { seq: second.nextSeq(), token, ...signed(secret, 'ben') };
  const held = await second.sync(packet);
  assertProblem(held, 'token_held');
  assertAnswered(await second.sync({ ...packet, takeover: held.body['nonce'] }), 201);
  assert.equal(await userOf(second), 'ben');
});

test('a signature claims no installation that another one made', async () => {
  const { app, backEnd, phone, secret, assertion } = await createShop();
  const made = phone();
  const path = `/v1/installations/${made.id}`;
  assertAnswered(await backEnd.request('PUT', path, { token: fcmToken() }), 201);
  assertProblem(await made.sync(signed(secret, 'mallory')), 'invalid_credentials');
  const claim = { user: { id: 'anna', assertion: assertion(made, 'anna', 5) } };
  assertAnswered(await made.sync(claim), 200);

  const client = new SimpleClient(network.url, app);
  const body = { token: fcmToken().value, userId: 'anna', deviceId: 'phone-1' };
  assertAnswered(await client.register(body, app.secretKey), 200);
  const id = client.installationId('phone-1');
  const stranger = await fetch(`${network.url}/v1/installations/${id}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${app.publishableKey}`,
      'homing-installation-secret': made.secret,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ seq: 1, ...signed(secret, 'mallory') }),
  });
  assert.equal(stranger.status, 401);
  assert.equal((await backEnd.installation(id))['user']?.['id'], 'anna');
});

test('nor one on which a back end or a simple route signed that very user in', async () => {
  const { app, backEnd, phone, secret } = await createShop();
  const made = phone();
  const packet = { token: fcmToken(), user: { id: 'anna' } };
  const path = `/v1/installations/${made.id}`;
  assertAnswered(await backEnd.request('PUT', path, packet), 201);
  assertProblem(await made.sync(signed(secret, 'anna')), 'invalid_credentials');

  const client = new SimpleClient(network.url, app);
  const body = { token: fcmToken().value, userId: 'anna', deviceId: 'phone-2' };
  assertAnswered(await client.register(body, app.secretKey), 200);
  const stranger = phone();
  const id = client.installationId('phone-2');
  const taken = await fetch(`${network.url}/v1/installations/${id}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${app.publishableKey}`,
      'homing-installation-secret': stranger.secret,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ seq: 1, ...signed(secret, 'anna') }),
  });
  assert.equal(taken.status, 401);
  assertAnswered(await client.register(body, app.secretKey), 200);
});

test('a login that was refused is not answered as done when signatures are switched on', async () => {
  const { backEnd, phone, secret, userOf } = await createShop();
  const device = phone();
  const set = (on: boolean) => backEnd.request('PATCH', '/v1/app', { static_signatures: on });
  assertAnswered(await set(false), 200);
  const packet = { seq: device.nextSeq(), ...signed(secret, 'anna') };
  assertProblem(await device.sync(packet), 'assertion_invalid');
  assertAnswered(await set(true), 200);
  await addSecret(backEnd, 'h2', secret);
  assertProblem(await device.sync(packet), 'assertion_invalid');
  assertAnswered(await device.sync(signed(secret, 'anna')), 200);
  assert.equal(await userOf(device), 'anna');
});

test('an assertion disguised as a user id gets no way in: such secrets sign no assertions', async () => {
  const { app, backEnd, phone, secret, assertion } = await createShop();
  const device = phone();
  const header = JSON.stringify({ alg: 'HS256' });
  const claims = JSON.stringify(goodClaims(app.id, 'anna', device.id, network.clock.now()));
  // The back end signs it for somebody who chose "header.payload" as a name.
  const disguised = signHmac(header, claims, secret);
  const [head = '', payload = ''] = disguised.split('.');
  const bySignature = Buffer.from(signatureOf(secret, `${head}.${payload}`), 'hex');
  assert.equal(`${head}.${payload}.${bySignature.toString('base64url')}`, disguised);
  const sent = () => device.sync({ user: { id: 'anna', assertion: disguised } });
  assertProblem(await sent(), 'assertion_invalid');
  const publicly = { user: { id: 'anna', assertion: assertion(device, 'anna') } };
  assertAnswered(await device.sync(publicly), 200);
  assertAnswered(await device.signOut(), 204);
  const path = '/v1/app?dry_run=true';
  const asked = await backEnd.request('PATCH', path, { static_signatures: false });
  assert.deepEqual(asked.body['retired_keys'], ['h1']);
  assertProblem(await sent(), 'assertion_invalid');
  // Signatures that were collected are no assertions afterwards: their secret goes with them.
  const answer = await backEnd.request('PATCH', '/v1/app', { static_signatures: false });
  assert.deepEqual(answer.body['retired_keys'], ['h1']);
  assertProblem(await sent(), 'assertion_invalid');
  const left = JSON.stringify((await backEnd.get('/v1/app/identity-keys')).body);
  assert.ok(left.includes('"key-1"') && !left.includes('"h1"'));
  const rows = await network.homing.db<{ action: string }[]>`
    select action from audit where subject like 'identity_key/%'
      and app_ref = (select app_ref from app where id = ${app.id.slice(4)})`;
  assert.deepEqual(
    rows.map(({ action }) => action),
    ['identity_key.retire'],
  );
  const again = await backEnd.request('PATCH', '/v1/app', { static_signatures: false });
  assert.equal(again.body['retired_keys'], undefined);
});

test('nor in another process right after signatures were switched off', async () => {
  const { app, backEnd, secret } = await createShop();
  const now = Math.floor(network.clock.now().getTime() / 1000);
  const payload = { sub: 'anna', aud: app.id, iat: now, exp: now + 600 };
  const disguised = signHmac(JSON.stringify({ alg: 'HS256' }), JSON.stringify(payload), secret);
  const login = () =>
    request(`${network.servers[0]?.url ?? ''}/register-token`, {
      method: 'POST',
      headers: { authorization: `Bearer ${disguised}` },
      body: { token: fcmToken().value, deviceId: 'one', userId: 'anna', platform: 'android' },
    });
  // It has read the keys for this one, and may remember them.
  assertProblem(await login(), 'assertion_invalid');
  const settings = { static_signatures: false };
  assertAnswered(await backEnd.request('PATCH', '/v1/app', settings), 200);
  assertProblem(await login(), 'assertion_invalid');
});
