import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, chmod, chown, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { startLocalPostgres } from '../src/index.ts';
import { accountNamed, chooseServerUser } from '../src/server-user.ts';
import { makeHome, type Home } from './home.ts';
import { OwnerProcess } from './owner-process.ts';
import { Scratch, THROW_AWAY } from './scratch.ts';

const NOBODY = { uid: 65_534, gid: 65_534 } as const;
const AS_ROOT = {
  skip: process.getuid?.() === 0 ? false : 'only root can become another user',
} as const;

const run = promisify(execFile);
let scratch: Scratch;
let home: Home;
before(async () => {
  scratch = await Scratch.create();
  await scratch.makeTemplate();
  if (!AS_ROOT.skip) home = await makeHome(join(scratch.root, 'home'), NOBODY);
});
after(() => scratch[Symbol.asyncDispose]());

test('the account is the first known name, and never root under another name', () => {
  const passwd = 'root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nnobody:x:9:8::/:/bin/false\n';
  assert.deepEqual(accountNamed(passwd, ['postgres', 'nobody']), { uid: 9, gid: 8 });
  assert.equal(accountNamed(passwd, ['toor', 'postgres']), null);
});

test('as root the server runs as another user, to whom the data is given', AS_ROOT, async () => {
  const directory = await scratch.dataCopy();
  assert.equal((await stat(join(directory, 'data', 'PG_VERSION'))).uid, 0);
  await using server = await startLocalPostgres({ directory, settings: THROW_AWAY });
  const uid = await uidOf(server.pid);
  assert.notEqual(uid, 0);
  assert.equal((await stat(join(directory, 'data', 'PG_VERSION'))).uid, uid);
  assert.equal((await stat(directory)).uid, 0);
});

test('data that belongs to a user already decides who runs the server', AS_ROOT, async () => {
  const directory = await scratch.dataCopy();
  await run('chown', ['-R', `${NOBODY.uid}:${NOBODY.gid}`, join(directory, 'data')]);
  assert.deepEqual(await chooseServerUser(join(directory, 'data')), NOBODY);
  await using server = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert.equal(await uidOf(server.pid), NOBODY.uid);
});

test(
  'below a directory that only root may enter, data is created, kept and reopened',
  AS_ROOT,
  async () => {
    const home = await scratch.directory();
    await chmod(home, 0o700);
    const directory = join(home, 'project', '.homing', 'postgres');
    const first = await startLocalPostgres({ directory, settings: THROW_AWAY });
    const sql = postgres(first.url, { max: 1 });
    await sql`create table kept as select 1 as number`;
    await sql`checkpoint`;
    await sql.end();
    await first[Symbol.asyncDispose]();

    await using second = await startLocalPostgres({ directory, settings: THROW_AWAY });
    const again = postgres(second.url, { max: 1 });
    const [row] = await again`select number from kept`;
    await again.end();
    assert.equal(row?.['number'], 1);
    assert.equal((await stat(home)).mode & 0o777, 0o700);
  },
);

test('a temporary directory that the server’s user cannot enter is not used', AS_ROOT, async () => {
  const directory = scratch.sharedData();
  const closed = await scratch.directory();
  await chmod(closed, 0o700);
  process.env['TMPDIR'] = closed;
  try {
    const server = await startLocalPostgres({ directory, settings: THROW_AWAY });
    await server[Symbol.asyncDispose]();
    assert.match(server.socketDirectory, /^\/tmp\/homing-pg-/);
    await assert.rejects(access(server.socketDirectory), { code: 'ENOENT' });
  } finally {
    process.env['TMPDIR'] = scratch.tmp;
  }
});

test('a user runs the server under its own name, in a home of its own', AS_ROOT, async () => {
  const directory = join(home.directory, 'clone', '.homing', 'postgres');
  await using owner = new OwnerProcess({ directory, settings: THROW_AWAY }, { home });
  const { serverPid } = await owner.owns();
  assert.equal(await uidOf(serverPid), NOBODY.uid);
  assert.equal((await stat(home.directory)).mode & 0o777, 0o700);
  assert.deepEqual((await readdir(directory)).sort(), ['data', 'server.log']);
});

test('a user is told when the data is another’s', AS_ROOT, async () => {
  const directory = await scratch.directory();
  await chown(directory, NOBODY.uid, NOBODY.gid);
  await mkdir(join(directory, 'data'), { mode: 0o700 });
  await writeFile(join(directory, 'data', 'PG_VERSION'), '18\n');
  await using owner = new OwnerProcess({ directory, settings: THROW_AWAY }, { home });
  assert.deepEqual(await owner.report, {
    kind: 'failed',
    code: 'unreachable_directory',
    ownerPid: null,
  });
});

test('data whose mode is too open for PostgreSQL is closed', async () => {
  const directory = scratch.sharedData();
  await chmod(join(directory, 'data'), 0o755);
  await using _ = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert.equal((await stat(join(directory, 'data'))).mode & 0o777, 0o700);
});

async function uidOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
}
