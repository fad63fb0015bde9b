import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { findTestFiles } from '../scripts/test-files.ts';
import type { TestRun } from '../scripts/test-process.ts';
import { runTestFiles } from '../scripts/test-run.ts';
import { sumTallies, tallyLine } from '../scripts/test-tally.ts';

const IMPORT = `import { describe, test } from 'node:test';\n`;

test('the files of packages, of the project and of examples are found, and can be narrowed', async (t) => {
  const root = await project(t, {
    'packages/a/test/deep/one.test.ts': '',
    'packages/local-postgres/test/two.test.ts': '',
    'packages/a/src/not-a.test.ts': '',
    'packages/a/node_modules/b/test/foreign.test.ts': '',
    'test/three.test.ts': '',
    'test/three.ts': '',
    'examples/shop/four.test.ts': '',
  });
  assert.deepEqual(await findTestFiles(root, []), {
    together: [
      'examples/shop/four.test.ts',
      'packages/a/test/deep/one.test.ts',
      'test/three.test.ts',
    ],
    alone: ['packages/local-postgres/test/two.test.ts'],
  });
  const some = await findTestFiles(root, ['three', join(root, 'examples')]);
  assert.deepEqual(some.together, ['examples/shop/four.test.ts', 'test/three.test.ts']);
});

test('passed, failed and skipped tests are counted, and failures are shown', async (t) => {
  const runs = await run(t, {
    'test/mixed.test.ts': `${IMPORT}
      test('is right', () => {});
      test('is wrong', () => { throw new Error('the reason'); });
      test('is left out', { skip: 'no kotlin' }, () => {});
      describe('is left out as a whole', { skip: 'no browser' }, () => {
        test('is not seen', () => {});
      });`,
    'test/right.test.ts': `${IMPORT} test('has its environment', (t) =>
      t.assert.equal(process.env.HOMING_TEST_DATABASE_URL, 'postgres://nowhere'));`,
  });
  assert.equal(
    tallyLine(sumTallies([...runs.values()].map(tallyOf))),
    '2 passed, 1 failed, 2 skipped',
  );
  const mixed = runs.get('test/mixed.test.ts');
  assert.match(mixed?.output ?? '', /is wrong.*Error: the reason/s);
  assert.equal(mixed?.problem, null);
});

test('a file fails as a whole when its tests cannot tell what is wrong with it', async (t) => {
  const files = {
    'test/empty.test.ts': '',
    'test/broken.test.ts': `import './nothing.ts';`,
    'test/late.test.ts': `${IMPORT}
      test('is over', () => { setTimeout(() => { throw new Error('too late'); }, 1); });`,
    'test/killed.test.ts': `${IMPORT} test('dies', () => process.kill(process.pid, 'SIGTERM'));`,
  };
  const runs = await run(t, files);
  const problems = Object.keys(files).map((file) => runs.get(file)?.problem);
  assert.deepEqual(problems, [
    'contains no test',
    'ended with code 1 before its tests did',
    'ended with code 1 although no test failed: see the error after the tests',
    'was ended by SIGTERM',
  ]);
  assert.equal(tallyOf(runs.get('test/late.test.ts')).failed, 1);
});

test('a file whose tests are over but that keeps a handle open fails, and names the handle', async (t) => {
  const runs = await run(
    t,
    {
      'test/leak.test.ts': `import { createServer } from 'node:net';\n${IMPORT}
        test('leaks', () => { createServer().listen(0, '127.0.0.1'); });`,
    },
    1000,
  );
  const leak = runs.get('test/leak.test.ts');
  assert.match(leak?.problem ?? '', /^did not end within 1 s: a test never ends, or a handle/);
  assert.match(leak?.output ?? '', /Open: .*TCPServerWrap x1/);
  assert.equal(tallyOf(leak).failed, 1);
});

test('after an interruption running files are ended and no other one starts', async (t) => {
  const interruption = new AbortController();
  const hanging = `${IMPORT} test('waits', () => new Promise(() => { setInterval(() => {}, 1e6); }));`;
  const quick = `${IMPORT} test('ends', () => {});`;
  const files = {
    'test/a-quick.test.ts': quick,
    'test/b-hanging.test.ts': hanging,
    'test/c-quick.test.ts': quick,
    'test/d-hanging.test.ts': hanging,
    'test/e-hanging.test.ts': hanging,
  };
  const runs = await run(t, files, 60_000, interruption, (file) => {
    if (file === 'test/c-quick.test.ts') interruption.abort('SIGTERM');
  });
  assert.equal(runs.get('test/b-hanging.test.ts')?.problem, 'was ended by SIGTERM');
  assert.equal(runs.has('test/e-hanging.test.ts'), false);
});

async function run(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  fileTimeoutMs = 60_000,
  interruption = new AbortController(),
  onReport: (file: string) => void = () => {},
): Promise<ReadonlyMap<string, TestRun>> {
  const root = await project(t, files);
  const setting = {
    root,
    scratchDirectory: root,
    environment: { HOMING_TEST_DATABASE_URL: 'postgres://nowhere' },
    fileTimeoutMs,
    interruption: interruption.signal,
  };
  const found = await findTestFiles(root, []);
  const runs = await runTestFiles(found, setting, (ended) => onReport(ended.file));
  return new Map(runs.map((ended) => [ended.file, ended]));
}

/** A project of its own, with nothing but these files. */
async function project(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'homing-runner-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

function tallyOf(ended: TestRun | undefined): TestRun['tally'] {
  assert.ok(ended !== undefined, 'the file was run');
  return ended.tally;
}
