import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { isDatabaseUnavailable } from '../../src/domain/database-fault.ts';
import { openDatabase, type Database } from '../../src/store/sql.ts';
import { inTransaction } from '../../src/store/transaction.ts';

function increase(db: Database): Promise<unknown> {
  return inTransaction(db, (tx) => tx`update counter set value = value + 1 where name = 'one'`);
}

/** How PostgreSQL would look a job up. */
async function plan(sql: Pick<Database, 'unsafe'>): Promise<string> {
  return JSON.stringify(await sql.unsafe(`explain select from queue where name = 'job-1'`));
}

describe('a transaction', { timeout: 20_000 }, () => {
  let database: TestDatabase;
  /** One connection: whoever kept it would keep everybody else waiting. */
  let db: Database;
  before(async () => {
    database = await createTestDatabase();
    db = openDatabase({ url: database.url, maxConnections: 1, applicationName: 'transaction' });
    await db`create table counter (name text primary key, value integer not null)`;
    await db`insert into counter values ('one', 0)`;
  });
  after(async () => {
    await db.end({ timeout: 1 });
    await database[Symbol.asyncDispose]();
  });

  it('gives its connection back when the server is a standby that only reads', async () => {
    const attempt = inTransaction(db, async (tx) => {
      await tx`set transaction read only`;
      await tx`update counter set value = value + 1 where name = 'one'`;
    });
    await assert.rejects(attempt, { code: '25006' });
    await increase(db);
  });

  it('looks into the index also of a queue that is empty when it is planned', async () => {
    await db`create table queue (name text primary key)`;
    await db`vacuum analyze queue`;
    assert.match(await plan(db), /Seq Scan on queue/, 'PostgreSQL would scan it');
    assert.match(await inTransaction(db, plan), /using queue_pkey/);
  });

  it('of a process that is silent for too long lets go of its locks', async () => {
    const silent = openDatabase({
      url: database.url,
      maxConnections: 1,
      applicationName: 'silent',
    });
    const locked = Promise.withResolvers<void>();
    const othersAreDone = Promise.withResolvers<void>();
    const transaction = inTransaction(silent, async (tx) => {
      const [bound] = await tx`select current_setting('idle_in_transaction_session_timeout') as ms`;
      assert.deepEqual({ ...bound }, { ms: '15s' });
      // The test waits less long than the locks of a worker would be held.
      await tx`select set_config('idle_in_transaction_session_timeout', '100', true)`;
      await tx`update counter set value = 1000 where name = 'one'`;
      locked.resolve();
      await othersAreDone.promise;
      await tx`update counter set value = 2000 where name = 'one'`;
    });
    const refused = assert.rejects(transaction, isDatabaseUnavailable);
    await locked.promise;
    await increase(db);
    othersAreDone.resolve();
    await refused;
    await increase(silent);
    const [counter] = await db`select value < 1000 as untouched from counter`;
    assert.deepEqual({ ...counter }, { untouched: true });
    await silent.end({ timeout: 1 });
  });
});
