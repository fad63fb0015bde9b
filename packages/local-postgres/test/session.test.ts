import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLocalPostgres, type LocalPostgres } from '../src/index.ts';
import { Session } from '../src/session.ts';
import { MessageReader } from '../src/wire.ts';
import { Scratch, THROW_AWAY } from './scratch.ts';

let scratch: Scratch;
let server: LocalPostgres;
before(async () => {
  scratch = await Scratch.create();
  const directory = await scratch.directory();
  server = await startLocalPostgres({ directory, settings: THROW_AWAY });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

function open(database: string): Promise<Session> {
  return Session.connect({ ...server, database, applicationName: 'session test' });
}

test('rows come as text, with null for NULL, however large the answer is', async () => {
  await using session = await open('homing');
  assert.deepEqual(await session.query(`select 1, null, 'é', ''`), [['1', null, 'é', '']]);
  const [row] = await session.query(`select repeat('x', 1000000)`);
  assert.equal(row?.[0]?.length, 1_000_000);
});

test('a refused statement rejects with its SQLSTATE, and the session goes on', async () => {
  await using session = await open('homing');
  await assert.rejects(session.query('select 1 / 0'), {
    sqlState: '22012',
    message: 'division by zero',
  });
  assert.deepEqual(await session.query('select 2'), [['2']]);
});

test('a database that does not exist, and a server that does not, reject the session', async () => {
  await assert.rejects(open('nowhere'), { sqlState: '3D000' });
  const target = { socketDirectory: scratch.root, port: 1, database: 'x', applicationName: 'x' };
  await assert.rejects(Session.connect(target), { sqlState: '08006', message: /ENOENT/ });
});

test('a session that the server ends is seen as closed, and refuses what comes after', async () => {
  await using session = await open('homing');
  await assert.rejects(session.query('select pg_terminate_backend(pg_backend_pid())'), {
    sqlState: '57P01',
  });
  await session.closed;
  await assert.rejects(session.query('select 1'), { sqlState: '08006' });
});

test('messages are found in whatever pieces the bytes arrive', () => {
  const bytes = Buffer.from([0x5a, 0, 0, 0, 5, 0x49, 0x44, 0, 0, 0, 6, 0, 0]);
  const reader = new MessageReader();
  const messages = [...bytes].flatMap((byte) => [...reader.push(Buffer.of(byte))]);
  assert.deepEqual(
    messages.map(({ type, body }) => [type, body.toString('hex')]),
    [
      ['Z', '49'],
      ['D', '0000'],
    ],
  );
});
