import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import type { AssertionOptions } from '../../../../test/issuer.ts';
import { startNetwork } from '../../../../test/network.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { LIMITS } from '../../src/domain/limits.ts';
import { assertProblem } from './assert-problem.ts';
import { createForgingKey, goodClaims } from './forged-assertion.ts';
import { SimpleClient } from './simple-client.ts';

/** The simple routes of an app that wants proof: a secret key, or an assertion of the user. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const client = new SimpleClient(network.url, network.app);

function packet(userId: string | null, members: Readonly<Record<string, unknown>> = {}) {
  return { token: fcmToken().value, userId, deviceId: randomUUID(), ...members };
}

function proof(userId: string, options: AssertionOptions = {}): Promise<string> {
  return network.issuer.sign(network.app.id, userId, options);
}

async function stored(deviceId: string): Promise<AnswerBody> {
  return network.backEnd.installation(client.installationId(deviceId));
}

async function userOf(deviceId: string): Promise<unknown> {
  return (await stored(deviceId))['user']?.['id'] ?? null;
}

async function isUnknown(deviceId: string): Promise<boolean> {
  const path = `/v1/installations/${client.installationId(deviceId)}`;
  return (await network.backEnd.get(path)).status === 404;
}

test('without a proof nothing happens', async () => {
  for (const bearer of [undefined, 'session-4711', 'eyJhbGciOiJub25lIn0.e30.', 'hmg_sk_test_x']) {
    const body = packet('anna');
    const answer = await client.register(body, bearer);
    assertProblem(answer, 'invalid_credentials');
    assert.equal(answer.body['error'], answer.body['title']);
    assert.ok(await isUnknown(body.deviceId));
    assertProblem(await client.delete(body.token, bearer), 'invalid_credentials');
  }
});

test('a late packet, or one that says goodbye, takes no token from an installation', async () => {
  const late = await proof('anna');
  network.clock.advance(60_000);
  const [phone, token] = [network.device(), fcmToken()];
  assertAnswered(await phone.register(token, 'ben'), 201);
  network.clock.advance(2_000);
  const leaving = packet(null, { token: token.value });
  assertAnswered(await client.register(leaving, await proof('mallory')), 200);
  const body = packet('anna', { token: token.value });
  assertProblem(await client.register(body, late), 'token_held');
  assert.notEqual((await network.backEnd.installation(phone.id))['token'], null);
  assertAnswered(await client.register(body, await proof('anna')), 200);
  assert.equal((await network.backEnd.installation(phone.id))['token'], null);
});

test('a goodbye takes no token from another device of its kind, and signs out all the same', async () => {
  for (const bearer of ['user', 'key']) {
    const [mine, theirs] = [packet('anna'), packet('ben')];
    const annas = await proof('anna');
    assertAnswered(await client.register(mine, annas), 200);
    assertAnswered(await client.register(theirs, await proof('ben')), 200);
    const before = await stored(theirs.deviceId);
    const goodbye = { ...mine, userId: null, token: theirs.token };
    const answer = await client.register(goodbye, bearer === 'key' ? network.app.secretKey : annas);
    assertAnswered(answer, 200);
    assert.equal(await userOf(mine.deviceId), null);
    assert.deepEqual(await stored(theirs.deviceId), before);
    // One that nobody else holds is taken note of.
    const fresh = fcmToken();
    const again = { ...goodbye, token: fresh.value };
    assertAnswered(await client.register(again, network.app.secretKey), 200);
    assert.equal((await stored(mine.deviceId))['token']?.['masked'], fingerprint(fresh));
    network.clock.advance(2_000);
  }
});

test('a secret key vouches for anybody', async () => {
  const body = packet('anna');
  assertAnswered(await client.register(body, network.app.secretKey), 200);
  assert.equal(await userOf(body.deviceId), 'anna');
  assertAnswered(await client.delete(body.token, network.app.secretKey), 200);
  assert.equal(await userOf(body.deviceId), null);
});

test('an assertion signs its user in, and serves the same device until it ends', async () => {
  const body = packet('anna');
  const bearer = await proof('anna');
  assertAnswered(await client.register(body, bearer), 200);
  assert.equal(await userOf(body.deviceId), 'anna');
  const refreshed = fcmToken().value;
  assertAnswered(await client.register({ ...body, token: refreshed }, bearer), 200);
  network.clock.advance(200_000);
  assertAnswered(await client.register(body, bearer), 200);
  network.clock.advance(200_000);
  assertProblem(await client.register(body, bearer), 'assertion_invalid');
  assert.equal(await userOf(body.deviceId), 'anna');
});

test('an assertion is pinned to the device that used it first', async () => {
  const [first, second] = [packet('anna'), packet('anna')];
  const bearer = await proof('anna');
  assertAnswered(await client.register(first, bearer), 200);
  assertProblem(await client.register(second, bearer), 'assertion_invalid');
  assert.equal(await userOf(first.deviceId), 'anna');
  assert.equal(await userOf(second.deviceId), null);
});

test('an assertion that names an installation serves no other device', async () => {
  const body = packet('anna');
  const foreign = await proof('anna', { installationId: network.device().id });
  assertProblem(await client.register(body, foreign), 'assertion_invalid');
  assert.ok(await isUnknown(body.deviceId));
  const own = await proof('anna', { installationId: client.installationId(body.deviceId) });
  assertAnswered(await client.register(body, own), 200);
  assert.equal(await userOf(body.deviceId), 'anna');
});

test('an assertion without a jti is pinned as well', async () => {
  const [first, second] = [packet('anna'), packet('anna')];
  const bearer = await proof('anna', { claims: { nonce: randomUUID() }, jti: '' });
  assertAnswered(await client.register(first, bearer), 200);
  assertProblem(await client.register(second, bearer), 'assertion_invalid');
});

test('an assertion of another app or key proves nothing', async () => {
  const other = await network.provision({ name: 'Other', identityKeys: [] });
  const body = packet('anna');
  const foreign = await network.issuer.sign(other.id, 'anna');
  assertProblem(await client.register(body, foreign), 'assertion_invalid');
  assert.ok(await isUnknown(body.deviceId));
});

test('an assertion of another user than userId attaches nobody and signs out who was there', async () => {
  const body = packet('anna');
  for (const [signedIn, named, bearer] of [
    ['anna', 'ben', 'anna'],
    ['cleo', 'ben', 'anna'],
  ] as const) {
    network.clock.advance(2_000);
    assertAnswered(
      await client.register({ ...body, userId: signedIn }, await proof(signedIn)),
      200,
    );
    const token = fcmToken().value;
    const answer = await client.register({ ...body, userId: named, token }, await proof(bearer));
    assertProblem(answer, 'user_mismatch');
    assert.equal(answer.body['error'], answer.body['title']);
    assert.equal(await userOf(body.deviceId), null, `${signedIn}, ${named} by ${bearer}`);
    assert.equal((await stored(body.deviceId))['token']?.['status'], 'live');
  }
});

test('on a device of nobody a mismatch keeps the token, so that no subscription is lost', async () => {
  const body = packet('ben');
  assertProblem(await client.register(body, await proof('anna')), 'user_mismatch');
  assert.equal(await userOf(body.deviceId), null);
  assert.notEqual((await stored(body.deviceId))['token'], null);
});

test('after a logout no assertion from before signs in again', async () => {
  for (const signOut of ['delete', 'null'] as const) {
    const body = packet('anna');
    const [used, unused] = [await proof('anna'), await proof('anna')];
    assertAnswered(await client.register(body, used), 200);
    network.clock.advance(1_000);
    const answer =
      signOut === 'delete'
        ? await client.delete(body.token, used)
        : await client.register({ ...body, userId: null }, used);
    assertAnswered(answer, 200);
    for (const late of [used, unused]) {
      assertProblem(await client.register(body, late), 'assertion_invalid');
      assert.equal(await userOf(body.deviceId), null, signOut);
    }
    network.clock.advance(1_000);
    assertAnswered(await client.register(body, await proof('anna')), 200);
    assert.equal(await userOf(body.deviceId), 'anna');
  }
});

test('a logout takes an assertion that has expired', async () => {
  const body = packet('anna');
  const bearer = await proof('anna');
  assertAnswered(await client.register(body, bearer), 200);
  network.clock.advance(30 * 86_400_000);
  assertAnswered(await client.delete(body.token, bearer), 200);
  assert.equal(await userOf(body.deviceId), null);
});

test('a logout takes an assertion whose key was retired lately, a login does not', async () => {
  const key = createForgingKey();
  const app = await network.provision({
    identityKeys: [{ keyId: 'key-1', algorithm: 'ES256', publicJwk: key.publicJwk }],
  });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const own = new SimpleClient(network.url, app);
  const body = packet('anna');
  const id = own.installationId(body.deviceId);
  const now = network.clock.now();
  const claims = JSON.stringify(goodClaims(app.id, 'anna', id, now));
  const bearer = key.signText(JSON.stringify({ alg: 'ES256', kid: 'key-1' }), claims);
  const userOfOwn = async () => (await backEnd.installation(id))['user']?.['id'];
  assertAnswered(await own.register(body, bearer), 200);
  assertAnswered(await backEnd.request('DELETE', '/v1/app/identity-keys/key-1'), 204);
  assertProblem(await own.register(body, bearer), 'assertion_invalid');
  assert.equal(await userOfOwn(), 'anna');
  network.clock.advance(LIMITS.retiredKeyLogoutMs);
  assertProblem(await own.delete(body.token, bearer), 'assertion_invalid');
  assert.equal(await userOfOwn(), 'anna');
  network.clock.advance(-86_400_000);
  assertAnswered(await own.delete(body.token, bearer), 200);
  assert.equal(await userOfOwn(), undefined);
});

test("somebody else's token, and one that nobody has, get the same answer and no effect", async () => {
  const body = packet('anna');
  assertAnswered(await client.register(body, await proof('anna')), 200);
  const before = await stored(body.deviceId);
  const bearer = await proof('mallory');
  const [foreign, unknown] = [
    await client.delete(body.token, bearer),
    await client.delete(fcmToken().value, bearer),
  ];
  assertAnswered(foreign, 200);
  assert.deepEqual(foreign.body, unknown.body);
  assert.deepEqual(await stored(body.deviceId), before);
});

test('a token that an installation with a secret holds is signed out by a secret key only', async () => {
  const phone = network.device();
  const token = fcmToken();
  const userOf = async () => (await network.backEnd.installation(phone.id))['user']?.['id'];
  assertAnswered(await phone.register(token, 'anna'), 201);
  assertAnswered(await client.delete(token.value, await proof('anna')), 200);
  assert.equal(await userOf(), 'anna');
  assertAnswered(await client.delete(token.value, network.app.secretKey), 200);
  assert.equal(await userOf(), undefined);
});

test('revocation and erasure hold here as well', async () => {
  for (const [method, path] of [
    ['POST', '/v1/users/dora/revoke'],
    ['DELETE', '/v1/users/dora'],
  ] as const) {
    const body = packet('dora');
    const [used, unused] = [await proof('dora'), await proof('dora')];
    assertAnswered(await client.register(body, used), 200);
    const answer = await network.backEnd.request(method, path, method === 'POST' ? {} : undefined);
    assert.ok(answer.status < 300);
    for (const late of [used, unused]) {
      assertProblem(await client.register(body, late), 'assertion_invalid');
    }
    assert.equal(await userOf(body.deviceId), null);
    network.clock.advance(2_000);
  }
});
