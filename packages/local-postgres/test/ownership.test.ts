import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { startLocalPostgres } from '../src/index.ts';
import { OwnerProcess } from './owner-process.ts';
import { recordedPid, Scratch, THROW_AWAY } from './scratch.ts';

/** Where no `setpriv` is found, the kernel does not tie a server to the process that started it. */
const UNTIED = { env: { PATH: '/nonexistent' } } as const;

const run = promisify(execFile);
let scratch: Scratch;
before(async () => {
  scratch = await Scratch.create();
  await scratch.makeTemplate();
});
after(() => scratch[Symbol.asyncDispose]());

test('a server that another process owns is refused with that process’s pid', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  await using owner = new OwnerProcess(options);
  await owner.owns();
  await assert.rejects(startLocalPostgres(options), {
    code: 'owned_by_other',
    ownerPid: owner.pid,
    message: new RegExp(`process ${owner.pid}`),
  });
});

test('the same process is refused a second server on a directory too', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  await using _ = await startLocalPostgres(options);
  await assert.rejects(startLocalPostgres(options), { ownerPid: process.pid });
});

test('of three processes that start on fresh data at once, exactly one wins', async () => {
  const options = { directory: await scratch.directory(), settings: THROW_AWAY };
  await using processes = new AsyncDisposableStack();
  const contenders = [1, 2, 3].map(() => processes.use(new OwnerProcess(options)));
  const reports = await Promise.all(contenders.map((each) => each.report));
  const winner = contenders[reports.findIndex((report) => report.kind === 'owns')];
  assert(winner !== undefined);
  const refused = { kind: 'failed', code: 'owned_by_other', ownerPid: winner.pid };
  assert.deepEqual(
    reports.filter((report) => report.kind === 'failed'),
    [refused, refused],
  );
});

test('of two starts within one process, exactly one wins', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  const starts = await Promise.allSettled([
    startLocalPostgres(options),
    startLocalPostgres(options),
  ]);
  const won = starts.filter((start) => start.status === 'fulfilled');
  const lost = starts.find((start) => start.status === 'rejected');
  for (const { value } of won) await value[Symbol.asyncDispose]();
  assert.equal(won.length, 1);
  assert.match(String(lost?.reason), /is in use by the process/);
});

test('when its owner is killed, an untied server lives on and is adopted with its rows', async () => {
  const options = { directory: await scratch.dataCopy(), settings: THROW_AWAY };
  const owner = new OwnerProcess(options, UNTIED);
  const { url, serverPid } = await owner.owns();
  const sql = postgres(url, { max: 1 });
  await sql`create table kept as select generate_series(1, 500) as number`;
  await owner.kill();

  await using next = await startLocalPostgres(options);
  assert.equal(next.adopted, true);
  assert.equal(next.pid, serverPid);
  assert.equal(next.url, url);
  const [row] = await sql`select count(*)::int as kept from kept`;
  await sql.end();
  assert.equal(row?.['kept'], 500);

  await next[Symbol.asyncDispose]();
  assert.deepEqual(await next.exited, { code: null, signal: null });
  await assert.rejects(recordedPid(options.directory), { code: 'ENOENT' });
});

test('of two processes that adopt one server at once, exactly one wins', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  const owner = new OwnerProcess(options, UNTIED);
  await owner.owns();
  await owner.kill();

  await using processes = new AsyncDisposableStack();
  const heirs = [1, 2].map(() => processes.use(new OwnerProcess(options)));
  const reports = await Promise.all(heirs.map((each) => each.report));
  const winner = reports.findIndex((report) => report.kind === 'owns');
  const loser = reports[1 - winner];
  assert(reports[winner]?.kind === 'owns' && reports[winner].adopted);
  assert(loser?.kind === 'failed');
  assert.equal(loser.ownerPid, heirs[winner]?.pid);
});

test(
  'when its owner is killed, a tied server stops by itself and the next start has every row',
  { skip: process.platform === 'linux' ? false : 'only Linux ties a process to its parent' },
  async () => {
    const options = { directory: await scratch.dataCopy(), settings: THROW_AWAY };
    const owner = new OwnerProcess(options);
    const { url, serverPid } = await owner.owns();
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    await sql`create table kept as select generate_series(1, 500) as number`;
    await owner.kill();

    await using next = await startLocalPostgres(options);
    assert.equal(next.adopted, false);
    assert.notEqual(next.pid, serverPid);
    const again = postgres(next.url, { max: 1 });
    const [row] = await again`select count(*)::int as kept from kept`;
    await Promise.all([sql.end(), again.end()]);
    assert.equal(row?.['kept'], 500);
  },
);

test('after kill -9 of the postmaster its end is seen, and the next start has every row', async () => {
  const options = { directory: await scratch.dataCopy() };
  const first = await startLocalPostgres(options);
  const sql = postgres(first.url, { max: 1, onclose: () => undefined });
  await sql`create table kept as select generate_series(1, 500) as number`;
  process.kill(first.pid, 'SIGKILL');

  // No wait for the children of the dead server: they still hold its shared memory.
  await using second = await startLocalPostgres(options);
  assert.deepEqual(await first.exited, { code: null, signal: 'SIGKILL' });
  await first[Symbol.asyncDispose]();
  const again = postgres(second.url, { max: 1 });
  const [row] = await again`select count(*)::int as kept from kept`;
  await Promise.all([sql.end(), again.end()]);
  assert.equal(row?.['kept'], 500);
});

test('a lock file whose pid now belongs to another program does not hinder the start', async () => {
  const directory = scratch.sharedData();
  const first = await startLocalPostgres({ directory, settings: THROW_AWAY });
  const lockFile = join(directory, 'data', 'postmaster.pid');
  const text = await readFile(lockFile, 'utf8');
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  await first[Symbol.asyncDispose]();

  // The reused pid runs under the server's own user, where PostgreSQL itself believes the file.
  const identity = await serverIdentity(directory);
  const stranger = spawn('/bin/sleep', ['60'], { ...identity, stdio: 'ignore' });
  await once(stranger, 'spawn');
  await writeFile(lockFile, text.replace(/^\d+/, String(stranger.pid)));
  await using second = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert.equal(await recordedPid(directory), second.pid);
  assert.equal(stranger.exitCode, null);
  stranger.kill();
  await once(stranger, 'exit');
});

test('an empty lock file is given a few seconds, and then taken for a remnant', async () => {
  const directory = scratch.sharedData();
  const lockFile = join(directory, 'data', 'postmaster.pid');
  await writeFile(lockFile, '');
  const fourSecondsAgo = new Date(Date.now() - 4000);
  await utimes(lockFile, fourSecondsAgo, fourSecondsAgo);
  await using server = await startLocalPostgres({ directory, settings: THROW_AWAY });
  assert.equal(await recordedPid(directory), server.pid);
  assert.match(await readFile(join(directory, 'server.log'), 'utf8'), /is empty/);
});

test('an owner takes its lock again when the server has ended its session', async () => {
  const options = { directory: scratch.sharedData(), settings: THROW_AWAY };
  const owner = new OwnerProcess(options, UNTIED);
  const { serverPid, url } = await owner.owns();
  await owner.kill();
  await using heir = await startLocalPostgres(options);
  const sql = postgres(url, { max: 1 });
  const [ended] = await sql`select pid, pg_terminate_backend(pid, 5000) from pg_stat_activity
    where application_name like 'homing owner%'`;
  const deadlineMs = performance.now() + 10_000;
  for (let holders: postgres.Row[] = []; holders.length === 0;) {
    assert(performance.now() < deadlineMs, 'the lock is taken again');
    holders = await sql`select from pg_locks
      where locktype = 'advisory' and granted and pid <> ${Number(ended?.['pid'])}`;
  }
  await sql.end();

  await using other = new OwnerProcess(options);
  const refused = { kind: 'failed', code: 'owned_by_other', ownerPid: process.pid };
  assert.deepEqual(await other.report, refused);
  assert.equal(heir.pid, serverPid);
});

test('a server that does not stop in time is stopped at once', async () => {
  const directory = scratch.sharedData();
  const server = await startLocalPostgres({ directory, settings: THROW_AWAY, stopTimeoutMs: 100 });
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  // A backend that waits for the end of a line in a pipe does not hear the polite request to end.
  const pipe = join(await scratch.directory(), 'pipe');
  await run('mkfifo', ['-m', '666', pipe]);
  await sql`create temporary table lines (line text)`;
  const reading = assert.rejects(sql.unsafe(`copy lines from '${pipe}'`));
  await using writer = await open(pipe, 'w');
  // More than a pipe holds, so the backend is known to be reading when all of it is written.
  await writer.writeFile('x'.repeat(200_000));
  await server[Symbol.asyncDispose]();
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  const log = await readFile(join(directory, 'server.log'), 'utf8');
  assert.match(log, /received immediate shutdown request/);
  await Promise.all([reading, sql.end({ timeout: 0 })]);
});

async function serverIdentity(directory: string): Promise<{ uid?: number; gid?: number }> {
  const { uid, gid } = await stat(join(directory, 'data'));
  return process.getuid?.() === 0 ? { uid, gid } : {};
}
