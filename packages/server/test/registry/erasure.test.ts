import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { openDatabase } from '../../src/store/sql.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { captureLog } from '../http/captured-log.ts';
import { dumpDatabase } from '../http/database-digest.ts';
import { untilBlocked } from './until-blocked.ts';

/**
 * After an erasure nothing of the person is left, and nothing from before comes back.
 */
const log = captureLog();
const network = await startNetwork({ logger: log.logger });
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;

async function signIn(phone: Device, id: string, assertion?: string) {
  return phone.sync({ user: { id, assertion: assertion ?? (await phone.assertion(id)) } });
}

async function erase(id: string): Promise<void> {
  assertAnswered(await backEnd.request('DELETE', `/v1/users/${encodeURIComponent(id)}`), 204);
}

async function hits(canary: string): Promise<readonly string[]> {
  const dump = await dumpDatabase(network.homing.db);
  return dump.split('\n').filter((line) => line.includes(canary));
}

test('S56 no row of any table names an erased user', async () => {
  const canary = `canary-${randomUUID()}`;
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken(), canary), 201);
  const attributes = { name: canary, mail: `${canary}@shop.example` };
  const preferences = { nickname: canary };
  assertAnswered(
    await backEnd.request('PUT', `/v1/users/${canary}`, {
      attributes,
      preferences,
      consent: { offers: { source: canary } },
    }),
    200,
  );
  const topic = { scope: 'user', user_id: canary };
  assertAnswered(await phone.request('PUT', `/topics/orders?seq=${phone.nextSeq()}`, topic), 200);
  const content = { title: `Dear ${canary}`, body: '{{ mail }}' };
  const variables = { [canary]: { mail: `${canary}@shop.example` } };
  await backEnd.sendToUsers([canary], content, { recipient_variables: variables });
  await backEnd.sendToUsers([canary, canary], content, { recipient_variables: variables });
  await backEnd.sendToUsers([canary, 'ben'], undefined, { recipient_variables: variables });
  await backEnd.sendToUsers(['ben'], undefined, { recipient_variables: variables });
  await backEnd.request('POST', '/v1/notifications', {
    audience: { users: [canary] },
    content,
    idempotency_key: randomUUID(),
  });
  assertAnswered(await signIn(phone, 'ben'), 200);
  assertAnswered(await signIn(phone, canary), 200);
  await network.drain();
  assert.ok((await hits(canary)).length > 0);
  await erase(canary);
  assert.deepEqual(await hits(canary), []);
  assertProblem(await backEnd.get(`/v1/users/${canary}`), 'not_found');
  assert.ok(!log.text().includes(canary));
});

test('the devices of an erased user stay, signed out', async () => {
  const [phone, tablet] = [network.device(), network.device()];
  for (const device of [phone, tablet]) {
    assertAnswered(await device.register(fcmToken(), 'erika'), 201);
  }
  await erase('erika');
  for (const device of [phone, tablet]) {
    const installation = await backEnd.installation(device.id);
    assert.equal(installation['user'], null);
    assert.equal(installation['token']?.['status'], 'live');
    assert.deepEqual(
      { ...installation['last_user'], until: null },
      { id: null, until: null, ended_by: 'deleted' },
    );
  }
  const lines = await backEnd.timeline(phone.id);
  assert.ok(!lines.join('\n').includes('erika'), lines.join('\n'));
});

test('S56 no assertion from before an erasure signs in, used or not, here or elsewhere', async () => {
  const phone = network.device();
  const [used, unused] = [await phone.assertion('frieda'), await phone.assertion('frieda')];
  const elsewhere = network.device();
  const there = await elsewhere.assertion('frieda');
  assertAnswered(await signIn(phone, 'frieda', used), 201);
  await erase('frieda');
  assertProblem(await signIn(phone, 'frieda', used), 'assertion_invalid');
  assertProblem(await signIn(phone, 'frieda', unused), 'assertion_invalid');
  assertProblem(await signIn(elsewhere, 'frieda', there), 'assertion_invalid');
});

test('S56 not even after the user has signed up again', async () => {
  for (const again of ['login', 'back end'] as const) {
    const id = `gustav by ${again}`;
    const [phone, elsewhere, never] = [network.device(), network.device(), network.device()];
    const [before, neverUsed] = [await phone.assertion(id), await never.assertion(id)];
    assertAnswered(await phone.register(fcmToken(), id), 201);
    await erase(id);
    network.clock.advance(1_000);
    if (again === 'login') assertAnswered(await elsewhere.register(fcmToken(), id), 201);
    else {
      const path = `/v1/users/${encodeURIComponent(id)}`;
      assertAnswered(await backEnd.request('PUT', path, { locale: 'de' }), 200);
    }
    assertProblem(await signIn(phone, id, before), 'assertion_invalid');
    assertProblem(await signIn(never, id, neverUsed), 'assertion_invalid');
    const user = await backEnd.get(`/v1/users/${encodeURIComponent(id)}`);
    const installations = JSON.stringify(user.body['installations']);
    assert.ok(!installations.includes(phone.id) && !installations.includes(never.id));
  }
});

test('a later sign-up is a fresh user with nothing of the old one', async () => {
  const phone = network.device();
  assertAnswered(await phone.register(fcmToken(), 'hanna'), 201);
  assertAnswered(
    await backEnd.request('PUT', '/v1/users/hanna', { attributes: { plan: 'pro' }, locale: 'de' }),
    200,
  );
  assertAnswered(await phone.sync({ tags: { plan: 'pro' } }), 200);
  await erase('hanna');
  network.clock.advance(1_000);
  assertAnswered(await signIn(phone, 'hanna'), 200);
  const user = (await backEnd.get('/v1/users/hanna')).body;
  assert.deepEqual(user['attributes'], {});
  assert.equal(user['locale'], null);
  assert.deepEqual((await backEnd.installation(phone.id))['tags'], {});
  const timeline = (await backEnd.get('/v1/users/hanna/timeline')).body['data'];
  const kinds = (timeline as unknown as readonly { kind: string }[]).map(({ kind }) => kind);
  assert.deepEqual(
    kinds.filter((kind) => kind.startsWith('user.')),
    ['user.attached'],
  );
});

test('an erasure repeats without effect, also for a user whom nobody knows', async () => {
  const id = `nobody-${randomUUID()}`;
  for (let repetition = 0; repetition < 3; repetition += 1) await erase(id);
  assert.deepEqual(await hits(id), []);
  assertProblem(await backEnd.get(`/v1/users/${id}`), 'not_found');
});

test('logins and erasures at once fail nothing and leave no half of a user', async () => {
  const phones = Array.from({ length: 20 }, () => network.device());
  for (const phone of phones) assertAnswered(await phone.sync({ token: fcmToken() }), 201);
  const work = phones.flatMap((phone, index) => [
    signIn(phone, 'ida').then(({ status }) => status),
    ...(index % 4 === 0
      ? [backEnd.request('DELETE', '/v1/users/ida').then(({ status }) => status)]
      : []),
  ]);
  const statuses = await Promise.all(work);
  assert.doesNotMatch(log.text(), /request failed/);
  assert.ok(
    statuses.every((status) => [200, 204, 401].includes(status)),
    statuses.join(' '),
  );
  const orphans = await network.homing.db`
    select 1 from link l where ended_at is null
      and not exists (select 1 from app_user u where u.user_ref = l.user_ref)`;
  assert.equal(orphans.length, 0);
});

test('a notification that is being accepted while its user is erased is emptied as well', async () => {
  for (const isKnown of [true, false]) {
    const canary = `canary-${randomUUID()}`;
    if (isKnown) {
      assertAnswered(await backEnd.request('PUT', `/v1/users/${canary}`, { locale: 'de' }), 200);
    }
    const blocker = openDatabase({
      url: network.database.url,
      maxConnections: 1,
      applicationName: 'blocker',
    });
    const work = await blocker.begin(async (tx) => {
      // Holds the request up when the notification stands and is not committed yet.
      await tx`lock table audit in share row exclusive mode`;
      const sent = backEnd.request('POST', '/v1/notifications', {
        audience: { users: [canary] },
        content: { title: canary },
        labels: { who: canary },
      });
      await untilBlocked(network.homing.db, 1);
      const erased = backEnd.request('DELETE', `/v1/users/${canary}`);
      await untilBlocked(network.homing.db, 2);
      return { sent, erased };
    });
    await blocker.end();
    assertAnswered(await work.sent, 202);
    assertAnswered(await work.erased, 204);
    assert.deepEqual(await hits(canary), []);
  }
});

test('variables about people who are not addressed are not kept', async () => {
  const canary = `canary-${randomUUID()}`;
  const variables = { [canary]: { name: canary }, ben: { name: 'Ben' } };
  await backEnd.sendToUsers(['ben'], undefined, { recipient_variables: variables });
  assert.deepEqual(await hits(canary), []);
});
