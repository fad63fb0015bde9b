import assert from 'node:assert/strict';
import { rmSync, watch } from 'node:fs';
import {
  access,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import postgres from 'postgres';
import {
  LocalPostgresError,
  startLocalPostgres,
  type LocalPostgres,
  type LocalPostgresOptions,
} from '../src/index.ts';
import { Scratch, THROW_AWAY } from './scratch.ts';

let scratch: Scratch;
before(async () => {
  scratch = await Scratch.create();
  await scratch.makeTemplate();
});
after(() => scratch[Symbol.asyncDispose]());

test('a fresh directory gets a durable UTF-8 server with the database "homing"', async () => {
  const directory = join(await scratch.directory(), 'deep', 'postgres');
  const lines: string[] = [];
  await using server = await startLocalPostgres({ directory, log: (line) => lines.push(line) });
  const sql = postgres(server.url, { max: 1 });
  const [row] = await sql`
    select current_database() as database, current_setting('server_encoding') as encoding,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('data_checksums') as checksums, current_setting('listen_addresses') as tcp,
      current_setting('max_connections')::int as connections, upper('é') as upper`;
  await sql.end();
  assert.deepEqual(row, {
    database: 'homing',
    encoding: 'UTF8',
    fsync: 'on',
    commit: 'on',
    checksums: 'on',
    tcp: '',
    connections: 200,
    upper: 'É',
  });
  assert.match(server.version, /^\d+\.\d+$/);
  assert.equal(server.adopted, false);
  assert.equal(lines.length, 2);
});

test('rows survive a restart, and the server ends with its owner', async () => {
  const directory = await scratch.dataCopy();
  const first = await startLocalPostgres({ directory });
  const before = postgres(first.url, { max: 1 });
  await before`create table kept as select generate_series(1, 100) as number`;
  await before.end();
  await first[Symbol.asyncDispose]();
  assert.deepEqual(await first.exited, { code: 0, signal: null });

  await using second = await startLocalPostgres({ directory });
  assert.equal(second.socketDirectory, first.socketDirectory);
  const after = postgres(second.url, { max: 1 });
  const [row] = await after`select count(*)::int as kept from kept`;
  await after.end();
  assert.equal(row?.['kept'], 100);
});

test('the socket lies in a short directory that only the server and root may enter', async () => {
  const directory = join(scratch.root, 'long-'.repeat(30));
  await rename(await scratch.dataCopy(), directory);
  await using server = await startLocalPostgres({ directory, settings: THROW_AWAY });
  const status = await stat(server.socketDirectory);
  assert.equal(status.mode & 0o777, 0o700);
  assert.equal(status.uid, (await stat(join(directory, 'data'))).uid);
  assert(server.socketDirectory.length < 80);
  assert.equal(server.port, 5432);
});

test('the socket directory goes with the server, also with one that could not start', async () => {
  const directory = scratch.sharedData();
  const server = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert.deepEqual(await readdir(scratch.tmp), [basename(server.socketDirectory)]);
  await server[Symbol.asyncDispose]();
  assert.deepEqual(await readdir(scratch.tmp), []);

  const start = startLocalPostgres({ directory, settings: { shared_buffers: 'plenty' } });
  await assert.rejects(start, { code: 'start_failed', message: /invalid value.*"plenty"/ });
  assert.deepEqual(await readdir(scratch.tmp), []);
});

test('a socket directory that a crash has left is used again, and then removed', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  const first = await startLocalPostgres(options);
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  await first[Symbol.asyncDispose]();
  assert((await readdir(first.socketDirectory)).includes('.s.PGSQL.5432'));

  const second = await startLocalPostgres(options);
  assert.equal(second.socketDirectory, first.socketDirectory);
  await second[Symbol.asyncDispose]();
  await assert.rejects(access(first.socketDirectory), { code: 'ENOENT' });
});

test('a start whose socket directory a predecessor removes just then makes it again', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  const first = await startLocalPostgres(options);
  const { socketDirectory } = first;
  await first[Symbol.asyncDispose]();

  // The one appears before the server is spawned, the other when it just is.
  for (const sign of [socketDirectory, join(options.directory, 'server.log')]) {
    await rm(sign, { force: true });
    let removals = 0;
    using cleanup = new DisposableStack();
    const watcher = watch(dirname(sign), (_, name) => {
      if (removals > 0 || name !== basename(sign)) return;
      rmSync(socketDirectory, { recursive: true });
      removals += 1;
    });
    cleanup.defer(() => watcher.close());
    await using second = await startLocalPostgres(options);
    assert.equal(second.socketDirectory, socketDirectory);
    assert.equal(removals, 1);
  }
});

test('a start that meets a server while it stops waits for it and takes its place', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  let server = await startLocalPostgres(options);
  for (let round = 0; round < 5; round += 1) {
    const stopping = server[Symbol.asyncDispose]();
    server = await startWhenFree(options);
    await stopping;
    const sql = postgres(server.url, { max: 1 });
    await sql`select`;
    await sql.end();
  }
  await server[Symbol.asyncDispose]();
  await assert.rejects(access(server.socketDirectory), { code: 'ENOENT' });
});

test('a temporary directory with a long name does not break the socket', async () => {
  const directory = scratch.sharedData();
  process.env['TMPDIR'] = join(scratch.root, 'long-'.repeat(30));
  try {
    const server = await startLocalPostgres({ directory, settings: THROW_AWAY });
    await server[Symbol.asyncDispose]();
    assert.match(server.socketDirectory, /^\/tmp\/homing-pg-/);
    await assert.rejects(access(server.socketDirectory), { code: 'ENOENT' });
  } finally {
    process.env['TMPDIR'] = scratch.tmp;
  }
});

test('somebody else’s file in the place of the socket directory is refused', async () => {
  const directory = scratch.sharedData();
  const first = await startLocalPostgres({ directory, settings: THROW_AWAY });
  await first[Symbol.asyncDispose]();
  await symlink('/', first.socketDirectory);
  await assert.rejects(startLocalPostgres({ directory }), { code: 'unsafe_socket_directory' });
  await rm(first.socketDirectory);
});

test('with a port the server listens on 127.0.0.1, and the URL leads there', async () => {
  const directory = scratch.sharedData();
  const port = await freePort();
  await using server = await startLocalPostgres({ directory, port, settings: THROW_AWAY });
  assert.equal(server.url, `postgres://postgres@127.0.0.1:${port}/homing`);
  const sql = postgres(server.url, { max: 1 });
  const [row] = await sql`select current_setting('listen_addresses') as addresses`;
  await sql.end();
  assert.equal(row?.['addresses'], '127.0.0.1');
});

test('settings reach the server, and the ones that are ours to decide are refused', async () => {
  const directory = scratch.sharedData();
  for (const name of ['port', 'listen_addresses', 'homing.launcher', 'Work Mem', '-x']) {
    await assert.rejects(startLocalPostgres({ directory, settings: { [name]: '1' } }), {
      code: 'bad_option',
    });
  }
  await using server = await startLocalPostgres({
    directory,
    settings: { ...THROW_AWAY, work_mem: '7MB' },
  });
  const sql = postgres(server.url, { max: 1 });
  const [row] = await sql`select current_setting('work_mem') as memory`;
  await sql.end();
  assert.equal(row?.['memory'], '7MB');
});

test('a directory with foreign files is refused and left alone', async () => {
  const directory = await scratch.directory();
  await writeFile(join(directory, 'data'), 'a diary');
  await assert.rejects(startLocalPostgres({ directory }), { code: 'unreachable_directory' });

  const parent = await scratch.directory();
  await mkdir(join(parent, 'data'));
  await writeFile(join(parent, 'data', 'diary'), 'a diary');
  await assert.rejects(startLocalPostgres({ directory: parent }), { code: 'not_a_data_directory' });
  assert.equal(await readFile(join(parent, 'data', 'diary'), 'utf8'), 'a diary');
});

test('data of another version is named, and not touched', async () => {
  const directory = await scratch.directory();
  await mkdir(join(directory, 'data'));
  await writeFile(join(directory, 'data', 'PG_VERSION'), '12\n');
  await assert.rejects(startLocalPostgres({ directory }), {
    code: 'wrong_version',
    message: /written by PostgreSQL 12.*PostgreSQL 18\.\d+ in .*HOMING_PG_BIN/s,
  });
  assert.equal(await readFile(join(directory, 'data', 'PG_VERSION'), 'utf8'), '12\n');
  assert.deepEqual(await readdir(join(directory, 'data')), ['PG_VERSION']);
});

test('what a killed initdb has left is cleared away, and data is created', async () => {
  const directory = await scratch.directory();
  // No process has the largest pid there can be.
  const unfinished = join(directory, 'data.new-4194304-1');
  await mkdir(unfinished);
  await writeFile(join(unfinished, 'PG_VERSION'), '18\n');
  await using server = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert.equal(server.adopted, false);
  await assert.rejects(access(unfinished), { code: 'ENOENT' });
});

test('a log file that has grown too large is turned over at the next start', async () => {
  const directory = scratch.sharedData();
  await writeFile(join(directory, 'server.log'), 'x'.repeat(5 * 1024 * 1024));
  await using _ = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert((await stat(join(directory, 'server.log'))).size < 10_000);
  assert.equal((await stat(join(directory, 'server.log.1'))).size, 5 * 1024 * 1024);
});

/** A server that has been told to stop may still call its owner by name for a moment. */
async function startWhenFree(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const deadlineMs = performance.now() + 20_000;
  for (;;) {
    try {
      return await startLocalPostgres(options);
    } catch (error) {
      if (!(error instanceof LocalPostgresError) || error.code !== 'owned_by_other') throw error;
      assert(performance.now() < deadlineMs, 'the server that stops gives its place free');
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  const listening = Promise.withResolvers<void>();
  probe.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = probe.address();
  assert(address !== null && typeof address === 'object');
  const closed = Promise.withResolvers<void>();
  probe.close(() => closed.resolve());
  await closed.promise;
  return address.port;
}
