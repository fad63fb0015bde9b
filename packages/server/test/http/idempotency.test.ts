import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { BackEnd } from '../../../../test/back-end.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { parseTypedId } from '../../src/domain/typed-id.ts';
import { assertProblem } from './assert-problem.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;
const phone = network.device();
assertAnswered(await phone.register(apnsToken(), 'anna'), 201);

const message = { audience: { users: ['anna'] }, content: { title: 'Shipped' } };
const send = (key: string, body: unknown = message, from = backEnd) =>
  from.request('POST', '/v1/notifications', body, { 'idempotency-key': key });

async function rowsIn(table: string): Promise<number> {
  const [row] = await network.homing.db<{ count: number }[]>`
    select count(*)::integer as count from ${network.homing.db(table)}`;
  return row?.count ?? 0;
}

test('the same request under the same key has one effect and one answer', async () => {
  const before = await rowsIn('notification');
  const key = randomUUID();
  const first = await send(key);
  assertAnswered(first, 202);
  assert.equal(first.headers.get('idempotent-replayed'), null);
  for (let repetition = 0; repetition < 3; repetition += 1) {
    const again = await send(key);
    assertAnswered(again, 202);
    assert.deepEqual(again.body, first.body);
    assert.equal(again.headers.get('idempotent-replayed'), 'true');
  }
  assert.equal(await rowsIn('notification'), before + 1);
});

test('the order of keys and white space do not make another request', async () => {
  const key = randomUUID();
  const first = await send(key);
  const text = `{ "content": { "title" : "Shipped" },\n "audience": {"users":["anna"]} }`;
  const again = await backEnd.request('POST', '/v1/notifications', text, {
    'idempotency-key': key,
  });
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
});

test('the same key for another request is refused without effect', async () => {
  const key = randomUUID();
  assertAnswered(await send(key), 202);
  const before = await rowsIn('notification');
  assertProblem(await send(key, { ...message, category: 'offers' }), 'idempotency_mismatch');
  const elsewhere = await backEnd.request(
    'POST',
    '/v1/users/anna/revoke',
    {},
    { 'idempotency-key': key },
  );
  assertProblem(elsewhere, 'idempotency_mismatch');
  assert.equal(await rowsIn('notification'), before);
  assert.notEqual((await backEnd.installation(phone.id))['user'], null);
});

test('the same key for another address of one route is refused', async () => {
  const [a, b] = [await send(randomUUID()), await send(randomUUID())];
  const key = { 'idempotency-key': randomUUID() };
  const cancel = (id: unknown) =>
    backEnd.request('POST', `/v1/notifications/${String(id)}/cancel`, undefined, key);
  assertAnswered(await cancel(a.body['id']), 200);
  assertProblem(await cancel(b.body['id']), 'idempotency_mismatch');
});

test('fifty requests at once under one key have one effect', async (t) => {
  const before = await rowsIn('notification');
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(key)));
  const statuses = answers.map(({ status }) => status);
  assert.ok(
    statuses.every((status) => status === 202 || status === 409),
    statuses.join(' '),
  );
  const accepted = answers.filter(({ status }) => status === 202);
  assert.equal(new Set(accepted.map(({ body }) => body['id'])).size, 1);
  assert.equal(
    accepted.filter(({ headers }) => headers.get('idempotent-replayed') === null).length,
    1,
  );
  for (const answer of answers.filter(({ status }) => status === 409)) {
    assertProblem(answer, 'idempotency_running');
  }
  assert.equal(await rowsIn('notification'), before + 1);
  t.diagnostic(`${accepted.length} × 202, ${answers.length - accepted.length} × 409`);
});

test('fifty keys at once have fifty effects', async () => {
  const before = await rowsIn('notification');
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(randomUUID())));
  for (const answer of answers) assertAnswered(answer, 202);
  assert.equal(await rowsIn('notification'), before + 50);
});

test('the key may stand in the body, and is the same key there', async () => {
  const key = randomUUID();
  const body = { ...message, idempotency_key: key };
  const first = await backEnd.request('POST', '/v1/notifications', body);
  assertAnswered(first, 202);
  const again = await backEnd.request('POST', '/v1/notifications', body);
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assertProblem(
    await backEnd.request('POST', '/v1/notifications', { ...body, category: 'offers' }),
    'idempotency_mismatch',
  );
});

test('two apps may use the same key', async () => {
  const other = await network.provision({ name: 'Other' });
  const key = randomUUID();
  const [first, second] = [
    await send(key),
    await send(key, message, new BackEnd(network.url, other.secretKey)),
  ];
  assertAnswered(second, 202);
  assert.notEqual(first.body['id'], second.body['id']);
  assert.equal(second.headers.get('idempotent-replayed'), null);
});

test('a request that failed stores nothing: the key is free for the corrected one', async () => {
  const before = await rowsIn('idempotency');
  const key = randomUUID();
  assertProblem(await send(key, { ...message, category: 'my offers' }), 'validation_failed');
  assertProblem(
    await send(key, { ...message, audience: { users: ['null'] } }),
    'validation_failed',
  );
  const nobody = await backEnd.request(
    'POST',
    `/v1/notifications/ntf_${'0'.repeat(32)}/cancel`,
    undefined,
    { 'idempotency-key': key },
  );
  assertProblem(nobody, 'not_found');
  assert.equal(await rowsIn('idempotency'), before);
  assertAnswered(await send(key), 202);
});

test('a key holds for thirty days', async () => {
  const key = randomUUID();
  const first = await send(key);
  network.clock.advance(29 * 86_400_000);
  assert.deepEqual((await send(key)).body, first.body);
});

test('a revocation under a key is counted once', async () => {
  const tablet = network.device();
  assertAnswered(await tablet.register(apnsToken(), 'bob'), 201);
  const key = { 'idempotency-key': randomUUID() };
  const revoke = () => backEnd.request('POST', '/v1/users/bob/revoke', {}, key);
  assert.deepEqual((await revoke()).body, { signed_out: 1 });
  const again = await revoke();
  assert.deepEqual(again.body, { signed_out: 1 });
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
});

test('requests that come together share transactions, and each has its own answer', async () => {
  const users = Array.from({ length: 40 }, (_, index) => `guest-${index}`);
  const answers = await Promise.all(
    users.map((user) => send(randomUUID(), { ...message, audience: { users: [user] } })),
  );
  for (const answer of answers) assertAnswered(answer, 202);
  const ids = answers.map(({ body }) => {
    assert(typeof body['id'] === 'string');
    return parseTypedId('ntf', body['id']);
  });
  const rows = await network.homing.db<{ id: string; user: string; written_by: string }[]>`
    select id, audience->'users'->>0 as user, xmin::text as written_by from notification
    where id = any(${ids}::uuid[])`;
  const found = new Map<string | null, string>(rows.map((row) => [row.id, row.user]));
  assert.deepEqual(
    ids.map((id) => found.get(id)),
    users,
  );
  assert(new Set(rows.map((row) => row.written_by)).size < users.length);
});

test('a key that comes twice at the same moment spoils its own round only', async () => {
  const before = await rowsIn('notification');
  const keys = Array.from({ length: 20 }, () => randomUUID());
  const twice = keys.flatMap((key) => [key, key]);
  const answers = await Promise.all(twice.map((key) => send(key)));
  for (const [index, key] of keys.entries()) {
    const pair = answers.slice(2 * index, 2 * index + 2);
    const ids = new Set(pair.filter(({ status }) => status === 202).map(({ body }) => body['id']));
    assert.equal(ids.size, 1, `of ${key}`);
    for (const answer of pair) {
      if (answer.status !== 202) assertProblem(answer, 'idempotency_running');
    }
  }
  assert.equal(await rowsIn('notification'), before + keys.length);
});
