import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { request, type Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import type { Transaction } from '../../src/store/sql.ts';
import { lockUserSessions } from '../../src/store/users.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { untilBlocked } from './until-blocked.ts';
import { rowOf, whileHeld } from './while-held.ts';

/** A registration that has to wait for somebody else makes no other one wait. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
beforeEach(() => network.clock.advance(600_000));
const { db } = network.homing;

async function registered(userId: string): Promise<Device> {
  const device = network.device();
  assertAnswered(await device.register(fcmToken(), userId), 201);
  return device;
}

/** Fails when a request was answered already. */
async function assertWaiting(answer: Promise<Answer>): Promise<void> {
  const first = await Promise.race([answer, Promise.resolve(null)]);
  assert.equal(first, null);
}

test('while one phone is held, others register, refresh and log out', async () => {
  const [held, other, leaving] = await Promise.all(['anna', 'ben', 'sara'].map(registered));
  assert(held !== undefined && other !== undefined && leaving !== undefined);
  await whileHeld(network, rowOf(held), async (release) => {
    const waiting = held.sync({ token: fcmToken() });
    await untilBlocked(db, 1);
    assertAnswered(await leaving.signOut(), 204);
    assertAnswered(await other.sync({ token: fcmToken() }), 200);
    assertAnswered(await network.device().register(fcmToken(), 'alex'), 201);
    await assertWaiting(waiting);
    release();
    assertAnswered(await waiting, 200);
  });
});

function isHeld(index: number): boolean {
  return index % 4 === 1;
}

test('packets of one batch are answered also when some of them are held', async () => {
  const devices = await Promise.all(
    Array.from({ length: 24 }, (_, index) => registered(`user-${index}`)),
  );
  const held = devices.filter((_, index) => isHeld(index)).map(({ id }) => id);
  const lock = (tx: Transaction) =>
    tx`select 1 from installation where id = any(${held}::uuid[]) for update`;
  await whileHeld(network, lock, async (release) => {
    const answers = devices.map((device) => device.sync({ token: fcmToken() }));
    const free = answers.filter((_, index) => !isHeld(index));
    for (const answer of await Promise.all(free)) assertAnswered(answer, 200);
    release();
    for (const answer of await Promise.all(answers)) assertAnswered(answer, 200);
  });
});

test('what comes for a held phone is applied in the order in which it came', async () => {
  const device = await registered('anna');
  await whileHeld(network, rowOf(device), async (release) => {
    const refreshed = device.sync({ seq: 20, device: { label: 'old' } });
    await untilBlocked(db, 1);
    const loggedOut = device.request('DELETE', '/user?seq=21');
    const last = device.sync({ seq: 22, device: { label: 'new' } });
    release();
    assertAnswered(await refreshed, 200);
    assertAnswered(await loggedOut, 204);
    assertAnswered(await last, 200);
  });
  const stored = await network.backEnd.installation(device.id);
  assert.deepEqual([stored['user'], stored['device']?.['label']], [null, 'new']);
});

/** What `POST …/revoke` and an erasure take before anything else. */
async function sessionsOfAnna(tx: Transaction): Promise<void> {
  const [app] = await tx<{ app_ref: number }[]>`select app_ref from app`;
  assert(app !== undefined);
  await lockUserSessions(tx, app.app_ref, 'anna');
}

test('a user who is being signed out everywhere holds up only those who sign in as that user', async () => {
  const [anna, ben] = [network.device(), network.device()];
  await whileHeld(network, sessionsOfAnna, async (release) => {
    const waiting = anna.register(fcmToken(), 'anna');
    await untilBlocked(db, 1);
    assertAnswered(await ben.register(fcmToken(), 'ben'), 201);
    await assertWaiting(waiting);
    release();
    assertAnswered(await waiting, 201);
  });
});

test('a token whose holder is held is claimed once the holder is free', async () => {
  const token = fcmToken();
  const [holder, claimant] = [network.device(), network.device()];
  assertAnswered(await holder.register(token, 'anna'), 201);
  await network.clock.advance(2_000);
  await whileHeld(network, rowOf(holder), async (release) => {
    const claiming = claimant.register(token, 'ben');
    await untilBlocked(db, 1);
    assertAnswered(await network.device().register(fcmToken(), 'alex'), 201);
    release();
    assertAnswered(await claiming, 201);
  });
  assert.equal((await network.backEnd.installation(holder.id))['token'], null);
});

test('who has not the secret is turned away while the phone is held, and holds up nobody', async () => {
  const device = await registered('anna');
  const headers = {
    authorization: `Bearer ${network.app.publishableKey}`,
    'homing-installation-secret': network.device().secret,
  };
  const url = `${network.url}/v1/installations/${device.id}`;
  await whileHeld(network, rowOf(device), async () => {
    const [loggedOut, claimed] = await Promise.all([
      request(`${url}/user?seq=99`, { method: 'DELETE', headers }),
      request(url, { method: 'PUT', headers, body: { seq: 99, token: fcmToken() } }),
    ]);
    assertProblem(loggedOut, 'invalid_credentials');
    assertProblem(claimed, 'invalid_credentials');
  });
  const stored = await network.backEnd.installation(device.id);
  assert.equal(stored['user']?.['id'], 'anna');
});

test('of many phones that are held each gets an answer in time, and only what it says is done', async () => {
  const held = await Promise.all(
    Array.from({ length: 12 }, (_, index) => registered(`user-${index}`)),
  );
  const ids = held.map(({ id }) => id);
  const lock = (tx: Transaction) =>
    tx`select 1 from installation where id = any(${ids}::uuid[]) for update`;
  await whileHeld(network, lock, async () => {
    const answers = held.map((device) => device.sync({ device: { label: 'late' } }));
    for (const answer of await Promise.all(answers)) assertProblem(answer, 'registry_busy');
  });
  for (const device of held) {
    const stored = await network.backEnd.installation(device.id);
    assert.notEqual(stored['device']?.['label'], 'late');
    // The counter goes on, and so does the phone.
    assertAnswered(await device.sync({ device: { label: 'again' } }), 200);
  }
});

test('requests about a held phone that need a transaction each leave connections to the others', async () => {
  const [held, leaving] = [await registered('anna'), await registered('ben')];
  await whileHeld(network, rowOf(held), async () => {
    const waiting = Array.from({ length: 24 }, () =>
      held.request('PUT', `/preferences?seq=${held.nextSeq()}`, { mode: 'off' }),
    );
    assertAnswered(await leaving.signOut(), 204);
    for (const answer of await Promise.all(waiting)) assertProblem(answer, 'registry_busy');
  });
});

for (const who of ['a back end', 'a client without a sequence']) {
  test(`a logout by ${who} that is held up signs out also when preferences were changed`, async () => {
    const phone = await registered('anna');
    await whileHeld(network, rowOf(phone), async (release) => {
      const path = `/v1/installations/${phone.id}/user`;
      const leaving =
        who === 'a back end'
          ? network.backEnd.request('DELETE', path)
          : phone.request('DELETE', '/user');
      await untilBlocked(db, 1);
      await network.clock.advance(10);
      const body = { mode: 'off' };
      const changed = phone.request('PUT', `/preferences?seq=${phone.nextSeq()}`, body);
      await untilBlocked(db, 2);
      release();
      assertAnswered(await changed, 200);
      assertAnswered(await leaving, 204);
    });
    assert.equal((await network.backEnd.installation(phone.id))['user'], null);
  });
}
