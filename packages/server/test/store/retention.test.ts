import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { createLogger } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { retentionRules } from '../../src/store/retention.ts';
import { captureLog } from '../http/captured-log.ts';

const DAY_MS = 86_400_000;
const CONFIGURATION = new URL('../../../../docs/config.md', import.meta.url);

/** A network after some days without anybody; maintenance ran at the end. */
async function pass(network: Network, days: number): Promise<void> {
  await network.clock.advance(days * DAY_MS);
  await network.homing.maintenance.run();
}

async function statusOf(network: Network, id: string): Promise<number> {
  return (await network.backEnd.get(`/v1/notifications/${id}`)).status;
}

async function partitionsOf(network: Network, table: string): Promise<readonly string[]> {
  const rows = await network.homing.db<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent = ${table}::regclass order by name`;
  return rows.map(({ name }) => name);
}

async function countOf(network: Network, table: string): Promise<number> {
  const { db } = network.homing;
  const [row] = await db<{ count: number }[]>`select count(*) as count from ${db(table)}`;
  return row?.count ?? 0;
}

function partitionName(table: string, at: Date): string {
  return `${table}_${at.toISOString().slice(0, 10).replaceAll('-', '')}`;
}

test('the table of docs/config.md is the one that is followed', async () => {
  const text = await readFile(CONFIGURATION, 'utf8');
  const section = text.slice(text.indexOf('## How long things are kept'));
  const rows = [...section.matchAll(/^\| (.+?) \| (?:(\d+)|`HOMING_DELIVERY_DAYS`) \|$/gm)];
  assert.deepEqual(
    rows.map(([, what, days]) => [what, days === undefined ? 77 : Number(days)]),
    retentionRules(77).map(({ what, days }) => [what, Math.floor(days)]),
  );
});

describe('notifications', () => {
  test('are gone after ninety days, with their day of the ledger and nothing left behind', async () => {
    await using network = await startNetwork();
    const phone = network.device();
    assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
    const sentAt = network.clock.now();
    const id = await network.backEnd.sendToUsers(['anna']);
    await network.drain();
    const receipt = { notification_id: id, kind: 'opened', at: sentAt.toISOString() };
    assertAnswered(await phone.request('POST', '/receipts', { receipts: [receipt] }), 200);
    assert.equal(await countOf(network, 'delivery'), 1);
    assert.equal(await countOf(network, 'receipt'), 1);

    await pass(network, 89);
    assert.equal(await statusOf(network, id), 200);
    await pass(network, 2);
    assert.equal(await statusOf(network, id), 404);
    for (const table of ['notification', 'notification_counter', 'delivery', 'receipt']) {
      assert.equal(await countOf(network, table), 0, table);
    }
    for (const table of ['delivery', 'receipt']) {
      const names = await partitionsOf(network, table);
      assert.ok(!names.includes(partitionName(table, sentAt)), names.join());
      assert.ok(names.includes(partitionName(table, network.clock.now())), names.join());
    }
  });

  test('that have not finished are kept, and their day with them', async () => {
    await using network = await startNetwork();
    assertAnswered(await network.device().register(apnsToken(), 'anna'), 201);
    const sentAt = network.clock.now();
    const finished = await network.backEnd.sendToUsers(['anna']);
    await network.drain();
    // From now on nobody works on what is accepted.
    await network.homing.dispatcher?.[Symbol.asyncDispose]();
    const waiting = await network.backEnd.sendToUsers(['anna']);
    await pass(network, 91);
    assert.equal(await statusOf(network, finished), 404);
    assert.equal(await statusOf(network, waiting), 200);
    const names = await partitionsOf(network, 'delivery');
    assert.ok(names.includes(partitionName('delivery', sentAt)), names.join());
  });

  test('a day that somebody reads is dropped an hour later, and nobody waits for it', async () => {
    const log = captureLog();
    await using network = await startNetwork({ role: 'api', logger: log.logger });
    const { db } = network.homing;
    const name = partitionName('delivery', network.clock.now());
    await db.begin(async (tx) => {
      await tx`select count(*) from ${tx(name)}`;
      await pass(network, 91);
      assert.ok((await partitionsOf(network, 'delivery')).includes(name));
    });
    await network.homing.maintenance.run();
    assert.ok(!(await partitionsOf(network, 'delivery')).includes(name));
    assert.ok(!log.text().includes('maintenance failed'), log.text());
  });
});

describe('the registry', () => {
  test('keeps a timeline for thirteen months, and drops it month by month', async () => {
    await using network = await startNetwork({ role: 'api' });
    const phone = network.device();
    assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
    await pass(network, 390);
    assert.equal((await network.backEnd.timeline(phone.id)).length, 3);
    assertAnswered(await phone.sync({ permission: 'denied' }), 200);
    await pass(network, 40);
    assert.deepEqual(await network.backEnd.timeline(phone.id), [
      'The permission to notify is now "denied".',
    ]);
  });

  test('keeps ended links for thirteen months, and the last of each installation for good', async () => {
    await using network = await startNetwork({ role: 'api', logger: createLogger('error') });
    const [shared, left, used] = [network.device(), network.device(), network.device()];
    for (const user of ['anna', 'ben', 'cleo']) {
      assertAnswered(await shared.register(apnsToken(), user), user === 'anna' ? 201 : 200);
    }
    assertAnswered(await left.register(apnsToken(), 'anna'), 201);
    assertAnswered(await left.signOut(), 204);
    assertAnswered(await used.register(apnsToken(), 'anna'), 201);
    await pass(network, 395);
    assert.equal(await countOf(network, 'link'), 5);
    await pass(network, 2);
    const rows = await network.homing.db<{ id: string; user: string }[]>`
      select i.id, u.id as user from link join installation i using (installation_ref)
        join app_user u on u.user_ref = link.user_ref order by link_ref`;
    assert.deepEqual(
      rows.map((row) => [row.id, row.user]),
      [
        [shared.id, 'cleo'],
        [left.id, 'anna'],
        [used.id, 'anna'],
      ],
    );
  });

  test('remembers used assertions for a day past their end, and audits for thirteen months', async () => {
    await using network = await startNetwork({ role: 'api' });
    const phone = network.device();
    assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
    const path = `/v1/installations/${phone.id}/topics/news`;
    assertAnswered(await network.backEnd.request('PUT', path, { scope: 'device' }), 200);
    assert.equal(await countOf(network, 'proof'), 1);
    await pass(network, 1);
    assert.equal(await countOf(network, 'proof'), 1);
    await pass(network, 1);
    assert.equal(await countOf(network, 'proof'), 0);
    await network.homing.db`update audit set at = ${network.clock.now()}`;
    await pass(network, 395);
    assert.equal(await countOf(network, 'audit'), 1);
    await pass(network, 2);
    assert.equal(await countOf(network, 'audit'), 0);
    assert.equal(await countOf(network, 'outbox'), 0);
  });
});
