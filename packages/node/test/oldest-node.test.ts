import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startNetwork } from '../../../test/network.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/** What a Node that cannot run TypeScript does with the SDK: each kind of call once. */
const PROGRAM = `
  import assert from 'node:assert/strict';
  import { createHoming, HomingError, signAssertion } from './index.js';

  const homing = createHoming({
    baseUrl: process.env.HOMING_URL,
    secretKey: process.env.HOMING_SECRET_KEY,
  });
  async function* crowd() {
    for (let index = 0; index < 20_000; index += 1) yield { user: 'user-' + index };
  }
  const { id: list, members } = await homing.audiences.create(crowd);
  assert.equal(members, 20_000);
  const { id } = await homing.notifications.send({ audience: { list }, content: {} });
  for await (const delivery of homing.notifications.deliveries(id)) assert.fail(delivery.state);
  for await (const alert of homing.alerts.list()) assert.fail(alert.sentence);
  await assert.rejects(homing.users.get('nobody'), (error) => error instanceof HomingError);
  const left = AbortSignal.abort(new Error('left'));
  await assert.rejects(homing.app.get({ signal: left }), /left/);
  const facts = { userId: 'sara', installationId: 'i', appId: 'app_1', key: 'k'.repeat(48) };
  assert.equal(signAssertion(facts).split('.').length, 3);
  console.log('done');
`;

/** The first Node on the path that is older than the one the project pins, or null. */
async function findOlderNode(): Promise<string | null> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    const version = await run(path, ['--version']).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
    if (/^v2[0-3]\./.test(version)) return path;
  }
  return null;
}

/** The sources as the build has them: without types, the imports naming what is built. */
async function buildInto(directory: string): Promise<void> {
  for await (const name of glob('**/*.ts', { cwd: SOURCE })) {
    const code = stripTypeScriptTypes(await readFile(join(SOURCE, name), 'utf8'));
    const target = join(directory, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code.replaceAll(/(from '\.{1,2}\/[^']+)\.ts'/g, "$1.js'"));
  }
  await writeFile(join(directory, 'package.json'), '{"type": "module"}');
  await writeFile(join(directory, 'program.js'), PROGRAM);
}

test('the SDK runs on an older Node', async (t) => {
  const node = await findOlderNode();
  if (node === null) {
    t.skip('no Node from 20 to 23 on the path');
    return;
  }
  await using network = await startNetwork({ role: 'api' });
  const directory = await mkdtemp(join(tmpdir(), 'homing-node-'));
  try {
    await buildInto(directory);
    const { stdout } = await run(node, [join(directory, 'program.js')], {
      env: { HOMING_URL: network.url, HOMING_SECRET_KEY: network.app.secretKey },
    });
    assert.equal(stdout.trim(), 'done');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
