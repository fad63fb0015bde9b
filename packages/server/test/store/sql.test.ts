import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { createTestDatabase } from '../../../../test/database.ts';
import { ARRAY_TYPES } from '../../src/store/array-types.ts';
import { openDatabase } from '../../src/store/sql.ts';
import { inTransaction } from '../../src/store/transaction.ts';

test('a transaction begins behind however many statements a connection has before it', async () => {
  await using database = await createTestDatabase();
  const { url } = database;
  // The driver's own limit would be a hundred.
  for (let ahead = 90; ahead <= 110; ahead += 1) {
    const db = openDatabase({ url, maxConnections: 1, applicationName: 'pipeline' });
    // The first statement of a shape is described before it is sent; later ones are not.
    await db`select 1`;
    const statements = Array.from({ length: ahead }, () => db`select 1`.execute());
    const inside = await inTransaction(db, async (tx) => {
      const [row] = await tx<{ one: number }[]>`select 1 as one`;
      return row?.one;
    });
    assert.equal(inside, 1);
    assert.equal((await Promise.all(statements)).length, ahead);
    await db.end({ timeout: 5 });
  }
});

/** AuthenticationOk, then ReadyForQuery: all that a driver needs to hear before its first query. */
const WELCOME = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1');

/** What takes connections as PostgreSQL does, and is killed at the first word after that. */
async function startDyingPostgres() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('data', () => {
      socket.write(WELCOME);
      socket.once('data', () => socket.resetAndDestroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `postgres://postgres@127.0.0.1:${(server.address() as AddressInfo).port}/any`,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('a connection that breaks as soon as it is made fails its statement, and nothing else', async () => {
  using dying = await startDyingPostgres();
  const db = openDatabase({ url: dying.url, maxConnections: 4, applicationName: 'dying' });
  const ended = await Promise.allSettled([
    db`select ${['a']}::text[]`,
    db`select ${1}::integer`,
    inTransaction(db, (tx) => tx`select 1`),
  ]);
  // A rejection that nobody handles would fail this file.
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  await db.end({ timeout: 1 });
});

test('arrays arrive and come back as they are', async () => {
  await using database = await createTestDatabase();
  const { url } = database;
  const db = openDatabase({ url, maxConnections: 1, applicationName: 'arrays' });
  const texts = ['', ' ', 'a,b', '{"a"}', 'back\\slash', "it's", 'NULL', 'null', 'Jürgen\n', null];
  const uuid = '0f7c1a52-6d33-4a0e-8b8e-3c6a1b9d2e4f';
  const [row] = await db`
    select ${texts}::text[] as texts, ${[]}::text[] as none, ${[1, null, -3]}::integer[] as integers,
      ${[9_007_199_254_740_991]}::bigint[] as bigints, ${[7]}::smallint[] as smallints,
      ${[uuid]}::uuid[] as uuids, ${['2026-02-28']}::date[] as dates,
      array[true, false] as booleans, array['\\x00ff'::bytea] as byteas,
      array['2026-01-02 03:04:05.678+00'::timestamptz] as timestamps`;
  assert.deepEqual(
    { ...row },
    {
      texts,
      none: [],
      integers: [1, null, -3],
      bigints: [9_007_199_254_740_991],
      smallints: [7],
      uuids: [uuid],
      dates: ['2026-02-28'],
      booleans: [true, false],
      byteas: [Buffer.from([0, 255])],
      timestamps: [new Date('2026-01-02T03:04:05.678Z')],
    },
  );
  await db.end({ timeout: 5 });
});

test('every array column of the schema is of a type that the pool knows', async () => {
  await using database = await createTestDatabase();
  const { url } = database;
  const db = openDatabase({ url, maxConnections: 1, applicationName: 'array columns' });
  const rows = await db<{ readonly place: string; readonly oid: number }[]>`
    select format('%s.%s', a.attrelid::regclass, a.attname) as place, t.oid::integer as oid
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where t.typcategory = 'A' and a.attnum > 0
      and a.attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)`;
  const known = new Set(Object.values(ARRAY_TYPES).map(({ to }) => to));
  assert(rows.length > 0);
  assert.deepEqual(
    rows.filter(({ oid }) => !known.has(oid)).map(({ place }) => place),
    [],
  );
  await db.end({ timeout: 5 });
});
