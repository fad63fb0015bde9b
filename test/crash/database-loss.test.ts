import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { migrate } from '../../packages/server/src/store/migrate.ts';
import { openDatabase, type Database } from '../../packages/server/src/store/sql.ts';
import { inTransaction } from '../../packages/server/src/store/transaction.ts';
import { untilBlocked } from '../../packages/server/test/registry/until-blocked.ts';
import { KillablePostgres } from './killable-postgres.ts';

const CRASHES = 3;
const TRANSACTIONS = 64;
/** A failure bound: what hangs does so for longer. */
const PATIENCE_MS = 8_000;

test('transactions that a crash of PostgreSQL interrupts leave a pool that works', async () => {
  await using server = await KillablePostgres.start();
  const { url } = server;
  await using cleanup = new AsyncDisposableStack();
  const db = openDatabase({ url, maxConnections: 8, applicationName: 'loss' });
  cleanup.defer(() => db.end({ timeout: 5 }));
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    const fire = await server.aim();
    const transactions = Array.from({ length: TRANSACTIONS }, (_, index) => work(db, index));
    await Promise.all(transactions.slice(0, TRANSACTIONS / 4));
    fire();
    await server.recover();

    // Whether they failed or were waiting for a connection, all have ended, and others can begin.
    const next = Array.from({ length: TRANSACTIONS }, (_, index) => work(db, index));
    await soon(Promise.allSettled(transactions));
    await soon(Promise.all(next));
  }
});

test('a migration that a crash of PostgreSQL interrupts fails, and the next one runs', async () => {
  await using server = await KillablePostgres.start();
  const { url } = server;
  await using cleanup = new AsyncDisposableStack();
  const open = (maxConnections: number): Database => {
    const db = openDatabase({ url, maxConnections, applicationName: 'migration' });
    cleanup.defer(() => db.end({ timeout: 5 }));
    return db;
  };
  const [db, blocker] = [open(2), open(1)];
  await migrate(db);
  await blocker.unsafe('begin; lock table schema_migration');
  const migration = migrate(db);
  migration.catch(() => {});
  await untilBlocked(db, 1);
  const fire = await server.aim();
  fire();
  await assert.rejects(migration);
  await server.recover();
  await soon(migrate(db));
});

for (const moment of ['before', 'after'] as const) {
  const title =
    'a transaction that waits for something else while PostgreSQL crashes writes nothing';
  test(`${title}, ${moment} its connection is made anew`, () => loseWhileWaiting(moment));
}

/** As one that holds the row of a credential while a provider makes a token for it. */
async function loseWhileWaiting(moment: 'before' | 'after'): Promise<void> {
  await using server = await KillablePostgres.start();
  await using cleanup = new AsyncDisposableStack();
  const db = openDatabase({ url: server.url, maxConnections: 1, applicationName: 'waiting' });
  cleanup.defer(() => db.end({ timeout: 5 }));
  const [begun, answer, ended] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  assert(begun !== undefined && answer !== undefined && ended !== undefined);
  const transaction = inTransaction(db, async (tx) => {
    try {
      await tx`select 1`;
      begun.resolve();
      await answer.promise;
      await tx`create table late ()`;
    } finally {
      ended.resolve();
    }
  });
  const rejected = assert.rejects(transaction, { code: 'CONNECTION_CLOSED' });
  await begun.promise;
  const fire = await server.aim();
  fire();
  await soon(rejected);
  if (moment === 'before') answer.resolve();
  await server.recover();
  await soon(untilConnected(db));
  answer.resolve();
  await soon(ended.promise);
  const [row] = await db`select to_regclass('late') as late`;
  assert.equal(row?.['late'], null);
}

async function untilConnected(db: Database): Promise<void> {
  while ((await db`select 1`.catch(() => null)) === null);
}

/** Several statements, in the way of others, as registrations are. */
function work(db: Database, index: number): Promise<unknown> {
  const transaction = inTransaction(db, async (tx) => {
    await tx`select pg_advisory_xact_lock(${index % 4}::int)`;
    await tx`select ${index}::int`;
  });
  // It may fail while the test waits for something else.
  transaction.catch(() => {});
  return transaction;
}

async function soon(work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const late = delay(PATIENCE_MS, 'late', { signal: over.signal });
  const first = await Promise.race([work, late]).finally(() => over.abort());
  assert.notEqual(first, 'late');
}
