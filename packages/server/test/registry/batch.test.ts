import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { createLogger } from '@homing/server';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { openDatabase, type Transaction } from '../../src/store/sql.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { untilBlocked } from './until-blocked.ts';

/** Packets that come at the same time share a transaction, and nobody can tell by the answers. */
// It breaks transactions on purpose, and the log would say so.
const network = await startNetwork({ role: 'api', logger: createLogger('silent') });
after(() => network[Symbol.asyncDispose]());
// Hundreds of phones at one address: each test begins with all the enrolments that one may have.
beforeEach(() => network.clock.advance(600_000));
const { db } = network.homing;

function phones(count: number): readonly Device[] {
  return Array.from({ length: count }, () => network.device());
}

/** Runs `work` while every registration has to wait before it can tell the timeline. */
async function whileHeldUp<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
  const { url } = network.database;
  const other = openDatabase({ url, maxConnections: 1, applicationName: 'hold' });
  try {
    const result = await other.begin(async (tx) => {
      await tx`lock table outbox in share row exclusive mode`;
      return work(tx);
    });
    return result as T;
  } finally {
    await other.end();
  }
}

/** Sends packets so that most of them come while earlier ones are being written. */
async function together(send: () => readonly Promise<Answer>[]): Promise<readonly Answer[]> {
  const { answers } = await whileHeldUp(async () => {
    const answers = send();
    await untilBlocked(db, 1);
    return { answers };
  });
  return Promise.all(answers);
}

async function transactionsOf(devices: readonly Device[]): Promise<number> {
  const [row] = await db<{ transactions: number }[]>`
    select count(distinct xmin::text)::integer as transactions from installation
    where id = any(${devices.map(({ id }) => id)}::uuid[])`;
  return row?.transactions ?? 0;
}

test('packets that come together share transactions, each with its own answer', async (t) => {
  const devices = phones(64);
  const packets = await Promise.all(
    devices.map(async (device, index) => ({
      seq: index + 1,
      token: fcmToken(),
      user: { id: `user-${index}`, assertion: await device.assertion(`user-${index}`) },
      device: { label: `label ${index}` },
      tags: { index: String(index) },
    })),
  );
  const answers = await together(() =>
    devices.map((device, index) => device.sync(packets[index] ?? {})),
  );
  for (const [index, answer] of answers.entries()) {
    assertAnswered(answer, 201);
    const { installation } = answer.body;
    assert.equal(installation?.['id'], devices[index]?.id);
    assert.equal(installation?.['user']?.['id'], `user-${index}`);
    assert.equal(installation?.['device']?.['label'], `label ${index}`);
    assert.deepEqual(installation?.['tags'], { index: String(index) });
    assert.equal(answer.body['seq']?.['token'], index + 1);
  }
  const transactions = await transactionsOf(devices);
  t.diagnostic(`${devices.length} enrolments in ${transactions} transactions`);
  assert.ok(transactions <= devices.length / 2);
  // What was answered is what is stored.
  for (const [index, device] of devices.entries()) {
    const again = await device.sync(packets[index] ?? {});
    assertAnswered(again, 200);
    assert.deepEqual(again.body['installation'], answers[index]?.body['installation']);
  }
});

function label(index: number): string {
  return index % 8 === 3 ? 'poison' : 'fine';
}

test('a packet that breaks its transaction harms no other', async () => {
  await db.unsafe(`
    create function refuse_poison() returns trigger language plpgsql as $$
      begin raise exception 'poisoned'; end $$;
    create trigger refuse_poison before update on installation
      for each row when (new.label = 'poison') execute function refuse_poison()`);
  const devices = phones(24);
  const answers = await together(() =>
    devices.map((device, index) =>
      device.sync({ token: fcmToken(), device: { label: label(index) } }),
    ),
  );
  await db.unsafe('drop trigger refuse_poison on installation; drop function refuse_poison()');
  for (const [index, answer] of answers.entries()) {
    const isPoisoned = label(index) === 'poison';
    if (isPoisoned) assertProblem(answer, 'internal_error');
    else assertAnswered(answer, 201);
    const read = await network.backEnd.get(`/v1/installations/${devices[index]?.id}`);
    assert.equal(read.status, isPoisoned ? 404 : 200);
  }
  // Nothing is left of it, so it is new again.
  for (const device of devices.filter((_, index) => label(index) === 'poison')) {
    assertAnswered(await device.sync({ token: fcmToken(), device: { label: 'fine' } }), 201);
  }
});

test('packets about one installation are applied in the order in which they came', async () => {
  const device = network.device();
  assertAnswered(await device.sync({ token: fcmToken() }), 201);
  const labels = Array.from({ length: 12 }, (_, index) => `label ${index}`);
  const requests = labels.map((label) => {
    const body = JSON.stringify({ device: { label } });
    return [
      `PUT /v1/installations/${device.id} HTTP/1.1`,
      'Host: localhost',
      `Authorization: Bearer ${network.app.secretKey}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  });
  const { hostname, port } = new URL(network.url);
  const socket = connect(Number(port), hostname);
  try {
    socket.write(requests.join(''));
    let text = '';
    while ((text.match(/"label":/g) ?? []).length < labels.length) {
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      text += chunk.toString();
    }
    const answered = [...text.matchAll(/"label":"([^"]*)"/g)].map(([, label]) => label);
    assert.deepEqual(answered, labels);
  } finally {
    socket.destroy();
  }
  const stored = await network.backEnd.installation(device.id);
  assert.equal(stored['device']?.['label'], labels.at(-1));
});

test('of too many enrolments at once the surplus is turned away and leaves nothing', async () => {
  const devices = phones(320);
  const answers = await Promise.all(devices.map((device) => device.sync({ token: fcmToken() })));
  const statuses = answers.map(({ status }) => status);
  const made = devices.filter((_, index) => statuses[index] === 201).map(({ id }) => id);
  // Meanwhile time goes on, and lets in one more every two seconds.
  assert.ok(made.length >= 300 && made.length < 320, `${made.length} of 320`);
  assert.equal(statuses.filter((status) => status === 429).length, 320 - made.length);
  const rows = await db<{ id: string }[]>`
    select id from installation where id = any(${devices.map(({ id }) => id)}::uuid[])`;
  assert.deepEqual(rows.map(({ id }) => id).toSorted(), made.toSorted());
});

test('a token that is refreshed and claimed in one breath has one holder', async () => {
  for (let round = 0; round < 20; round += 1) {
    const [token, fresh] = [fcmToken(), fcmToken()];
    const [holder, claimant] = [network.device(), network.device()];
    assertAnswered(await holder.register(token, 'anna'), 201);
    network.clock.advance(2_000);
    const assertion = await claimant.assertion('ben');
    const answers = await Promise.all([
      holder.sync({ token: fresh }),
      claimant.sync({ token, user: { id: 'ben', assertion } }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 201],
    );
    const rows = await db<{ id: string; token: string }[]>`
      select id, token from installation where token in (${token.value}, ${fresh.value})`;
    assert.deepEqual(
      new Map(rows.map((row) => [row.token, row.id])),
      new Map([
        [fresh.value, holder.id],
        [token.value, claimant.id],
      ]),
    );
  }
});

test('when the connection breaks, all its packets fail alike and can be repeated', async () => {
  const devices = phones(12);
  const tokens = devices.map(() => fcmToken());
  const send = () => devices.map((device, index) => device.sync({ seq: 1, token: tokens[index] }));
  const { broken } = await whileHeldUp(async (tx) => {
    const broken = send();
    await untilBlocked(db, 1);
    await tx`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return { broken };
  });
  const answers = await Promise.all(broken);
  assert.ok(answers.some(({ status }) => status === 503));
  for (const answer of answers) {
    if (answer.status !== 201) assertProblem(answer, 'database_unavailable');
  }
  for (const [index, device] of devices.entries()) {
    const answer = await untilServed(() => device.sync({ seq: 1, token: tokens[index] }));
    assertAnswered(answer, answers[index]?.status === 201 ? 200 : 201);
    assert.equal(answer.body['seq']?.['token'], 1);
  }
});

/** Repeats as a client does: a connection of the pool that was broken may say so once more. */
async function untilServed(send: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; attempt < 5; attempt += 1) {
    const answer = await send();
    if (answer.status !== 503) return answer;
  }
  return send();
}
