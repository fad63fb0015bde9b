import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import { startNetwork } from '../../../../test/network.ts';
import { openDatabase } from '../../src/store/sql.ts';
import { untilBlocked } from '../registry/until-blocked.ts';
import { assertProblem } from './assert-problem.ts';
import { SimpleClient } from './simple-client.ts';

/**
 * Who knows nothing of a device but its id never gets what is somebody else's: on the simple routes
 * that id is no secret.
 */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const client = new SimpleClient(network.url, network.app);

function proof(userId: string): Promise<string> {
  return network.issuer.sign(network.app.id, userId);
}

/** A device on which somebody is signed in. */
async function deviceOf(userId: string) {
  const body = { token: fcmToken().value, deviceId: randomUUID() };
  assertAnswered(await client.register({ ...body, userId }, await proof(userId)), 200);
  return body;
}

async function stored(deviceId: string) {
  const installation = await network.backEnd.installation(client.installationId(deviceId));
  return {
    user: installation['user']?.['id'] ?? null,
    token: installation['token']?.['masked'] ?? null,
  };
}

for (const named of ['ben', 'anna', null]) {
  test(`a stranger who names ${named ?? typeof named} moves neither user nor token`, async () => {
    const device = await deviceOf('anna');
    const before = await stored(device.deviceId);
    const stolen = { ...device, token: fcmToken().value, userId: named };
    assertProblem(await client.register(stolen, await proof('mallory')), 'user_mismatch');
    assert.deepEqual(await stored(device.deviceId), before);
  });
}

for (const named of [undefined, 'mallory']) {
  test(`a stranger who signs in as ${named ?? 'herself'} ends the link that was there`, async () => {
    const device = await deviceOf('anna');
    const token = fcmToken();
    const taken = { ...device, token: token.value, userId: named };
    // A shared tablet with a fresh token looks the same; refusing would keep Anna's pushes on it.
    assertAnswered(await client.register(taken, await proof('mallory')), 200);
    assert.deepEqual(await stored(device.deviceId), { user: 'mallory', token: fingerprint(token) });
  });
}

test("without a userId a user's bearer signs its user in", async () => {
  const body = { token: fcmToken().value, deviceId: randomUUID() };
  assertAnswered(await client.register(body, await proof('anna')), 200);
  assert.deepEqual(await stored(body.deviceId), {
    user: 'anna',
    token: fingerprint({ value: body.token }),
  });
  const refreshed = { ...body, token: fcmToken().value };
  assertAnswered(await client.register(refreshed, await proof('anna')), 200);
  assert.equal((await stored(body.deviceId)).user, 'anna');
});

test('the next user of a device is known by the token that it holds', async () => {
  for (const userId of ['ben', undefined]) {
    const device = await deviceOf('anna');
    assertAnswered(await client.register({ ...device, userId }, await proof('ben')), 200);
    assert.equal((await stored(device.deviceId)).user, 'ben');
  }
});

test('so is a user who was signed in on the device before', async () => {
  const device = await deviceOf('anna');
  assertAnswered(await client.register(device, await proof('ben')), 200);
  const refreshed = { ...device, token: fcmToken().value };
  assertAnswered(await client.register(refreshed, await proof('anna')), 200);
  assert.equal((await stored(device.deviceId)).user, 'anna');
});

test('on a device that is reached no more the next user needs no sign', async () => {
  const device = await deviceOf('anna');
  // Another device reports the same token, and takes it along.
  assertAnswered(
    await client.register({ ...device, deviceId: randomUUID() }, await proof('cleo')),
    200,
  );
  const next = { ...device, token: fcmToken().value };
  assertAnswered(await client.register(next, await proof('ben')), 200);
  assert.equal((await stored(device.deviceId)).user, 'ben');
});

test("at the device itself another user's logout signs out and says that it does not fit", async () => {
  const device = await deviceOf('anna');
  const answer = await client.register({ ...device, userId: null }, await proof('ben'));
  assertProblem(answer, 'user_mismatch');
  assert.equal((await stored(device.deviceId)).user, null);
  assertAnswered(await client.register({ ...device, userId: null }, await proof('ben')), 200);
});

test('a secret key may leave the user as it is and refresh the token', async () => {
  const device = await deviceOf('anna');
  const refreshed = { ...device, token: fcmToken().value };
  assertAnswered(await client.register(refreshed, network.app.secretKey), 200);
  assert.deepEqual(await stored(device.deviceId), {
    user: 'anna',
    token: fingerprint({ value: refreshed.token }),
  });
});

test('a logout that waited while somebody else signed in signs nobody out', async () => {
  const device = await deviceOf('anna');
  assertAnswered(await network.backEnd.request('PUT', '/v1/users/dora', {}), 200);
  const id = client.installationId(device.deviceId);
  const other = openDatabase({
    url: network.database.url,
    maxConnections: 1,
    applicationName: 'switch',
  });
  const bearer = await proof('anna');
  const logout = await other.begin(async (tx) => {
    await tx`select 1 from installation where id = ${id} for update`;
    const answer = client.delete(device.token, bearer);
    await untilBlocked(network.homing.db, 1);
    await tx`
      update link set user_ref = (select user_ref from app_user where id = 'dora')
      where ended_at is null
        and installation_ref = (select installation_ref from installation where id = ${id})`;
    return { answer };
  });
  await other.end();
  assertAnswered(await logout.answer, 200);
  const [row] = await network.homing.db<{ id: string }[]>`
    select u.id from installation i join link l using (installation_ref)
      join app_user u on u.user_ref = l.user_ref
    where i.id = ${id} and l.ended_at is null`;
  assert.equal(row?.id, 'dora');
});
