import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createApnsKey } from '@homing/simulators';
import type { AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { apnsToken, Device } from '../../../../test/device.ts';
import { startNetwork, TEAM, TOPIC } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { captureLog } from './captured-log.ts';
import { digestDatabase } from './database-digest.ts';
import { textOf } from './text-of.ts';

const log = captureLog();
const network = await startNetwork({ logger: log.logger });
after(() => network[Symbol.asyncDispose]());
const PATH = '/v1/app/credentials';
const REFUSED_KEY = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
const { apns: simulatorKey = {} } = network.credentials;

/** An app of its own and what its owner can do with credentials. */
async function createOwner(credentials: typeof network.credentials = {}) {
  const app = await network.provision({ credentials });
  const backEnd = new BackEnd(network.url, app.secretKey);
  return {
    app,
    backEnd,
    add: (body: unknown, headers = {}) => backEnd.request('POST', PATH, body, headers),
    change: (id: string, body: unknown) => backEnd.request('PATCH', `${PATH}/${id}`, body),
    retire: (id: string) => backEnd.request('DELETE', `${PATH}/${id}`),
    async list() {
      const answer = await backEnd.get(PATH);
      assertAnswered(answer, 200);
      return answer.body['data'] as unknown as readonly AnswerBody[];
    },
    phone: () => new Device(network.url, app, network.issuer),
  };
}

function apnsSettings(over: Readonly<Record<string, unknown>> = {}) {
  const { keyId, privateKeyPem } = createApnsKey(TEAM);
  return { teamId: TEAM, keyId, privateKeyPem, topics: [TOPIC], environment: 'both', ...over };
}

test('a credential that was added is shown without its secret, alone and in the list', async () => {
  const owner = await createOwner();
  const settings = apnsSettings();
  const body = { provider: 'apns', name: 'autumn', rate: { per_minute: 600 }, settings };
  const added = await owner.add(body);
  assertAnswered(added, 201);
  const { id, created_at: _, ...card } = added.body;
  assert.match(textOf(id), /^crd_[0-9a-f]{32}$/);
  const { privateKeyPem, ...shown } = settings;
  assert.deepEqual(card, {
    provider: 'apns',
    name: 'autumn',
    project: TEAM,
    environments: ['production', 'sandbox'],
    topics: [TOPIC],
    settings: shown,
    rate: { per_minute: 600, ramp_seconds: null },
    status: 'active',
    stopped: null,
    retired_at: null,
    expires_at: null,
    verified_at: null,
    last_accepted_on: null,
  });
  const one = await owner.backEnd.get(`${PATH}/${textOf(id)}`);
  assert.deepEqual(one.body, added.body);
  assert.deepEqual(await owner.list(), [added.body]);
  const given = JSON.stringify([added, one]) + log.text();
  assert.ok(!given.includes('PRIVATE KEY') && !given.includes(privateKeyPem.slice(40, 80)));
});

test('a repetition with the same idempotency key adds nothing', async () => {
  const owner = await createOwner();
  const body = { provider: 'apns', settings: apnsSettings() };
  const headers = { 'idempotency-key': 'one-credential' };
  const [first, second] = [await owner.add(body, headers), await owner.add(body, headers)];
  assert.deepEqual(second.body, first.body);
  assert.equal(second.headers.get('idempotent-replayed'), 'true');
  assert.equal((await owner.list()).length, 1);
});

test('whatever is wrong with settings is named all at once, and no value is repeated', async () => {
  const owner = await createOwner();
  // The first use of a key on a day is noted.
  assert.deepEqual(await owner.list(), []);
  const before = await digestDatabase(network.homing.db);
  const canary = 'SECRET-CANARY-4711';
  const settings = { teamId: canary, keyId: 'ABCDEFGHIJ', privateKeyPem: canary, environmemt: 'x' };
  const refused = await owner.add({ provider: 'apns', settings });
  assertProblem(refused, 'validation_failed');
  const pointers = (refused.body['errors'] as unknown as { pointer: string }[]).map(
    ({ pointer }) => pointer,
  );
  assert.deepEqual(pointers.toSorted(), [
    '/settings/environmemt',
    '/settings/environment',
    '/settings/privateKeyPem',
    '/settings/teamId',
    '/settings/topics',
  ]);
  const serviceAccount = { type: 'service_account', private_key: canary };
  const google = await owner.add({ provider: 'fcm', settings: { serviceAccount } });
  assertProblem(google, 'validation_failed', '/settings/serviceAccount/private_key');
  assertProblem(await owner.add({ provider: 'fcm' }), 'validation_failed', '/settings');
  assertProblem(await owner.add({ provider: 'x', settings }), 'validation_failed', '/provider');
  assert.ok(!JSON.stringify([refused.body, google.body]).includes(canary));
  assert.ok(!log.text().includes(canary));
  assert.equal(await digestDatabase(network.homing.db), before);
});

test('name and rate can be changed, and nothing of what was retired', async () => {
  const owner = await createOwner();
  const { body } = await owner.add({ provider: 'apns', settings: apnsSettings() });
  const id = textOf(body['id']);
  const changed = await owner.change(id, { name: 'spring', rate: { per_minute: 60 } });
  assertAnswered(changed, 200);
  assert.equal(changed.body['name'], 'spring');
  assert.deepEqual(changed.body['rate'], { per_minute: 60, ramp_seconds: null });
  const lifted = await owner.change(id, { rate: { per_minute: null } });
  assert.deepEqual(lifted.body['rate'], { per_minute: null, ramp_seconds: null });
  assert.equal(lifted.body['name'], 'spring');
  assertProblem(await owner.change(id, { settings: {} }), 'validation_failed', '/settings');

  assertAnswered(await owner.retire(id), 204);
  const [retired] = await owner.list();
  assert.equal(retired?.['status'], 'retired');
  assertProblem(await owner.change(id, { name: 'x' }), 'not_found');
  assertProblem(await owner.retire(id), 'not_found');
  assertProblem(await owner.backEnd.request('POST', `${PATH}/${id}/verify`), 'not_found');
});

test('a secret is forgotten with its credential, and every change is on record', async () => {
  const owner = await createOwner();
  const { body } = await owner.add({ provider: 'apns', settings: apnsSettings() });
  const id = textOf(body['id']);
  assertAnswered(await owner.change(id, { name: 'winter' }), 200);
  assertAnswered(await owner.retire(id), 204);
  const { db } = network.homing;
  const [row] = await db<{ ref: number; bytes: number; token: Buffer | null }[]>`
    select credential_ref as ref, length(sealed_secret) as bytes, sealed_provider_token as token
    from credential order by credential_ref desc limit 1`;
  assert.deepEqual({ bytes: row?.bytes, token: row?.token }, { bytes: 0, token: null });
  const lines = await db<{ action: string }[]>`
    select action from audit where subject = ${`credential/${row?.ref}`} order by audit_ref`;
  const actions = lines.map(({ action }) => action);
  assert.deepEqual(actions, ['credential.add', 'credential.change', 'credential.retire']);
});

test('a refused credential says why it stands still, and since when', async () => {
  const owner = await createOwner({ apns: simulatorKey });
  assertAnswered(await owner.phone().register(apnsToken(), 'sara'), 201);
  network.apns.faults.schedule({ times: Infinity, fault: REFUSED_KEY });
  await owner.backEnd.sendToUsers(['sara']);
  await network.drain();
  const [stopped] = await owner.list();
  assert.equal(stopped?.['status'], 'stopped');
  assert.equal(stopped?.['stopped']?.['code'], 'InvalidProviderToken');
  assert.match(textOf(stopped?.['stopped']?.['meaning']), /wrong key id, team id or signature/);

  network.apns.faults.clear();
  await network.clock.advance(120_000);
  await network.drain();
  const [working] = await owner.list();
  assert.equal(working?.['status'], 'active');
  assert.equal(working?.['stopped'], null);
  const today = network.clock.now().toISOString().slice(0, 10);
  assert.equal(working?.['last_accepted_on'], today);
});

test('retiring a refused credential closes its alert', async () => {
  const owner = await createOwner({ apns: simulatorKey });
  assertAnswered(await owner.phone().register(apnsToken(), 'sara'), 201);
  network.apns.faults.schedule({ times: Infinity, fault: REFUSED_KEY });
  await owner.backEnd.sendToUsers(['sara']);
  await network.drain();
  network.apns.faults.clear();
  const open = async () => (await owner.backEnd.get('/v1/alerts?open=true')).body['data'];
  assert.equal((await open())?.['length'], 1);
  const [stopped] = await owner.list();
  assertAnswered(await owner.retire(textOf(stopped?.['id'])), 204);
  assert.deepEqual(await open(), []);
});

test('an app has fifty credentials at most', async () => {
  const owner = await createOwner();
  const settings = apnsSettings();
  for (let count = 0; count < 50; count += 1) {
    assertAnswered(await owner.add({ provider: 'apns', settings }), 201);
  }
  assertProblem(await owner.add({ provider: 'apns', settings }), 'too_many_credentials');
  const page = await owner.backEnd.get(`${PATH}?limit=20`);
  assert.equal((page.body['data'] as unknown as unknown[]).length, 20);
  const rest = await owner.backEnd.get(
    `${PATH}?limit=500&after=${textOf(page.body['page']?.['after'])}`,
  );
  assert.equal((rest.body['data'] as unknown as unknown[]).length, 30);
});
