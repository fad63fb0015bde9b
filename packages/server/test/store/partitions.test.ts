import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { createPartitions } from '../../src/store/partitions.ts';
import { openDatabase, type Database } from '../../src/store/sql.ts';

const DAY_MS = 86_400_000;

describe('partitions', () => {
  let database: TestDatabase;
  let db: Database;

  before(async () => {
    database = await createTestDatabase();
    db = openDatabase({
      url: database.url,
      maxConnections: 4,
      applicationName: 'partitions test',
    });
  });

  after(async () => {
    await db.end({ timeout: 5 });
    await database[Symbol.asyncDispose]();
  });

  test('are made once, also by several processes at once', async () => {
    const now = new Date('2027-01-30T12:00:00Z');
    await Promise.all([createPartitions(db, now), createPartitions(db, now)]);
    const names = await partitionsOf('delivery');
    assert.deepEqual(
      names.filter((name) => name !== 'delivery_default'),
      ['delivery_20270130', 'delivery_20270131', 'delivery_20270201', 'delivery_20270202'],
    );
    assert.ok((await partitionsOf('event')).includes('event_20270301'));
  });

  test('take over the rows that came before them, from a clock that is ahead', async () => {
    await db`
      insert into delivery (day, notification_ref, installation_ref, state, settled_at)
      values ('2027-03-05', 1, 1, 'accepted', now())`;
    await db`
      insert into event (at, app_ref, installation_ref, kind, source)
      values ('2027-05-05', 1, 1, 'installation.created', 'sdk')`;
    await createPartitions(db, new Date('2027-03-04T23:00:00Z'));
    await createPartitions(db, new Date(Date.parse('2027-03-04T23:00:00Z') + 40 * DAY_MS));
    assert.equal((await db`select 1 from delivery_20270305`).length, 1);
    assert.equal((await db`select 1 from event_20270501`).length, 1);
    assert.equal((await db`select 1 from delivery_default`).length, 0);
    await db`
      insert into event (at, app_ref, installation_ref, kind, source)
      values ('2027-05-06', 1, 1, 'installation.created', 'sdk')`;
    const events = await db<{ event_ref: number }[]>`select event_ref from event order by at`;
    assert.equal(new Set(events.map((event) => event.event_ref)).size, events.length);
  });

  async function partitionsOf(table: string): Promise<readonly string[]> {
    const rows = await db<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits
      where inhparent = ${table}::regclass order by name`;
    return rows.map((row) => row.name);
  }
});
