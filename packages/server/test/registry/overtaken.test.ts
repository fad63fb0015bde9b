import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { lockUserSessions } from '../../src/store/users.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { untilBlocked } from './until-blocked.ts';
import { rowOf, whileHeld } from './while-held.ts';

/** What was held up, or comes late, undoes nothing that came after it. */
const network = await startNetwork({ processes: 2 });
after(() => network[Symbol.asyncDispose]());
const { db } = network.homing;
const [first, second] = [() => network.url, () => network.servers[0]?.url ?? ''];
const backEnd = network.backEndAt(first);

async function userOn(installationId: string) {
  const stored = await network.backEnd.installation(installationId);
  return stored['user']?.['id'] ?? null;
}

/** Two phones; a packet of the back end about the second one waits for the first one. */
async function twoPhones(users: readonly [string, string]) {
  const token = fcmToken();
  const [holder, phone] = [network.device(), network.device()];
  assertAnswered(await holder.register(token, users[0]), 201);
  assertAnswered(await phone.register(fcmToken(), users[1]), 201);
  await network.clock.advance(10_000);
  const put = (body: object) =>
    backEnd.request('PUT', `/v1/installations/${phone.id}`, { token, ...body });
  return { holder, phone, put };
}

test('a revocation that was answered meanwhile still bars the assertions from before it', async () => {
  const { holder, phone, put } = await twoPhones(['ben', 'anna']);
  const assertion = await whileHeld(network, rowOf(holder), async (release) => {
    const waiting = put({ user: null });
    await untilBlocked(db, 1);
    await network.clock.advance(10_000);
    const stolen = await phone.assertion('anna');
    await network.clock.advance(10_000);
    const body = { installations: [phone.id] };
    assertAnswered(await backEnd.request('POST', '/v1/users/anna/revoke', body), 200);
    release();
    assertProblem(await waiting, 'registry_busy');
    return stolen;
  });
  assertProblem(await phone.sync({ user: { id: 'anna', assertion } }), 'assertion_invalid');
});

test('a removal and an erasure that were answered meanwhile stay', async () => {
  const { holder, phone, put } = await twoPhones(['ben', 'alex']);
  await whileHeld(network, rowOf(holder), async (release) => {
    const waiting = put({ user: { id: 'maria' } });
    await untilBlocked(db, 1);
    await network.clock.advance(10);
    assertAnswered(await backEnd.request('DELETE', `/v1/installations/${phone.id}`), 204);
    assertAnswered(await backEnd.request('DELETE', '/v1/users/maria'), 204);
    release();
    assertProblem(await waiting, 'registry_busy');
  });
  assert.equal((await backEnd.installation(phone.id))['status'], 'removed');
  assertProblem(await backEnd.get('/v1/users/maria'), 'not_found');
});

const ENDINGS = {
  revocation: (userId: string) => backEnd.request('POST', `/v1/users/${userId}/revoke`, {}),
  erasure: (userId: string) => backEnd.request('DELETE', `/v1/users/${userId}`),
  removal: (_userId: string, phone: Device) =>
    backEnd.request('DELETE', `/v1/installations/${phone.id}`),
  logout: (_userId: string, phone: Device) => phone.at(second).signOut(),
} as const;

for (const [name, end] of Object.entries(ENDINGS)) {
  test(`what waits behind a held-up packet does not undo a ${name}`, async () => {
    const userId = `user of the ${name}`;
    const token = fcmToken();
    const [holder, phone] = [network.device(), network.device(undefined, first)];
    assertAnswered(await holder.register(token, 'ben'), 201);
    assertAnswered(await phone.register(fcmToken(), userId), 201);
    await network.clock.advance(10_000);
    await whileHeld(network, rowOf(holder), async (release) => {
      const claiming = phone.sync({ token });
      await untilBlocked(db, 1);
      const path = `/v1/installations/${phone.id}`;
      const behind = backEnd.request('PUT', path, { user: { id: userId } });
      // Once this one is answered, the one before it stands in the line.
      await backEnd.get(path);
      await network.clock.advance(5_000);
      const ended = await end(userId, phone);
      assert.ok(ended.status < 300, JSON.stringify(ended.body));
      release();
      await claiming;
      assertProblem(await behind, 'registry_busy');
    });
    assert.equal(await userOn(phone.id), null);
  });
}

test('a claim that is held up takes no token from who registered it since', async () => {
  const token = fcmToken();
  const [old, young] = [network.device(), network.device()];
  assertAnswered(await old.register(fcmToken(), 'anna'), 201);
  await network.clock.advance(10_000);
  await whileHeld(network, rowOf(old), async (release) => {
    const waiting = backEnd.request('PUT', `/v1/installations/${old.id}`, { token });
    await untilBlocked(db, 1);
    await network.clock.advance(3_000);
    assertAnswered(await young.at(second).register(token, 'ben'), 201);
    release();
    assertProblem(await waiting, 'registry_busy');
  });
  const stored = await network.backEnd.installation(young.id);
  assert.equal(stored['token']?.['status'], 'live');
});

test('a logout that another server answered meanwhile stays', async () => {
  const { holder, phone, put } = await twoPhones(['ben', 'anna']);
  await whileHeld(network, rowOf(holder), async (release) => {
    const waiting = put({ user: { id: 'anna' } });
    await untilBlocked(db, 1);
    await network.clock.advance(5_000);
    assertAnswered(await phone.at(second).signOut(), 204);
    release();
    assertProblem(await waiting, 'registry_busy');
  });
  assert.equal(await userOn(phone.id), null);
});

function sign(userId: string): Promise<string> {
  return network.issuer.sign(network.app.id, userId);
}

function headersOf(bearer: string) {
  return { authorization: `Bearer ${bearer}` };
}

/** What a log-out-everywhere of a user holds. */
function sessionsOf(userId: string) {
  return async (tx: Parameters<typeof lockUserSessions>[0]) => {
    const [app] = await tx<{ app_ref: number }[]>`
      select app_ref from app where id = ${network.app.id.slice(4)}`;
    assert(app !== undefined);
    await lockUserSessions(tx, app.app_ref, userId);
  };
}

/** A device of which a home-grown client knows no more than a name. */
function simplePhone() {
  const deviceId = randomUUID();
  const token = fcmToken().value;
  return {
    token,
    register: (userId: string, bearer: string, via = first) =>
      request(`${via()}/register-token`, {
        method: 'POST',
        headers: headersOf(bearer),
        body: { token, deviceId, userId, platform: 'android' },
      }),
    signOut: (bearer: string, via = first) =>
      request(`${via()}/delete-token`, {
        method: 'DELETE',
        headers: headersOf(bearer),
        body: { token },
      }),
    async row(): Promise<{ readonly id: string }> {
      const [row] = await db<{ id: string }[]>`
        select id from installation where token = ${token} and token_status <> 'retired'`;
      assert(row !== undefined);
      return row;
    },
  };
}

test('a login on a simple route that is held up does not undo a newer one on another server', async () => {
  const phone = simplePhone();
  assertAnswered(await phone.register('maria', await sign('maria')), 200);
  await network.clock.advance(5_000);
  const older = await sign('sara');
  await network.clock.advance(5_000);
  await whileHeld(network, sessionsOf('sara'), async (release) => {
    const waiting = phone.register('sara', older);
    await untilBlocked(db, 1);
    await network.clock.advance(10_000);
    assertAnswered(await phone.register('ben', await sign('ben'), second), 200);
    release();
    assertProblem(await waiting, 'registry_busy');
  });
  assert.equal(await userOn((await phone.row()).id), 'ben');
});

for (const isRepeated of [true, false]) {
  const title = isRepeated ? 'the repetition of a former login' : 'a login that was under way';
  test(`${title} on a simple route signs neither in nor out`, async () => {
    const phone = simplePhone();
    const older = await sign('sara');
    if (isRepeated) assertAnswered(await phone.register('sara', older), 200);
    await network.clock.advance(20_000);
    const newer = await sign('ben');
    assertAnswered(await phone.register('ben', newer), 200);
    await network.clock.advance(20_000);
    assertProblem(await phone.register('sara', older), 'assertion_invalid');
    const { id } = await phone.row();
    assert.equal(await userOn(id), 'ben');
    // Whoever is there may repeat as often as it likes, and a fresh assertion counts.
    assertAnswered(await phone.register('ben', newer), 200);
    assertAnswered(await phone.register('sara', await sign('sara')), 200);
    assert.equal(await userOn(id), 'sara');
  });
}

test('a logout on a simple route signs out whoever registers the token at this moment', async () => {
  const phone = simplePhone();
  assertAnswered(await phone.register('sara', await sign('sara')), 200);
  const row = await phone.row();
  assertAnswered(await phone.signOut(await sign('sara')), 200);
  await network.clock.advance(5_000);
  const bearer = await sign('sara');
  await whileHeld(network, rowOf(row), async (release) => {
    const registering = phone.register('sara', bearer);
    await untilBlocked(db, 1);
    const leaving = phone.signOut(bearer);
    release();
    assertAnswered(await registering, 200);
    assertAnswered(await leaving, 200);
  });
  assert.equal(await userOn(row.id), null);
});

test('nor is one on another server undone by a login that is held up', async () => {
  const phone = simplePhone();
  assertAnswered(await phone.register('sara', await sign('sara')), 200);
  assertAnswered(await phone.signOut(await sign('sara')), 200);
  await network.clock.advance(5_000);
  const row = await phone.row();
  await whileHeld(network, sessionsOf('sara'), async (release) => {
    const registering = phone.register('sara', await sign('sara'));
    await untilBlocked(db, 1);
    await network.clock.advance(2_000);
    assertAnswered(await phone.signOut(await sign('sara'), second), 200);
    release();
    assertProblem(await registering, 'registry_busy');
  });
  assert.equal(await userOn(row.id), null);
});
