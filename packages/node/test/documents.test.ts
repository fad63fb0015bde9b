import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { assertAnswered } from '../../../test/answered.ts';
import { apnsToken } from '../../../test/device.ts';
import { startNetwork, type Network } from '../../../test/network.ts';
import { tokens, tokensReached } from '../../../test/pushes.ts';
import { createHoming, type Homing } from '../src/index.ts';

const run = promisify(execFile);
/** Where `@homing/node` is a name that Node finds. */
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const README = new URL('../README.md', import.meta.url);
const GUIDE = new URL('../../../docs/guides/node.md', import.meta.url);

let network: Network;
let homing: Homing;
before(async () => {
  network = await startNetwork();
  homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
});
after(() => network[Symbol.asyncDispose]());

/** The JavaScript of a page, in its order. */
async function blocksOf(page: URL): Promise<readonly string[]> {
  const text = await readFile(page, 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

/**
 * Runs code as a program of its own, which knows an address and keys, and returns what it prints.
 */
async function runCode(code: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=source', '--input-type=module', '--eval', code],
    {
      cwd: PACKAGE,
      env: { HOMING_URL: network.url, HOMING_SECRET_KEY: network.app.secretKey, ...more },
    },
  );
  return stdout;
}

test('the quick start of the README has ten lines, and notifies a user', async () => {
  const [quickStart = ''] = await blocksOf(README);
  const lines = quickStart.split('\n').filter((line) => line !== '');
  assert.ok(lines.length <= 10, `${lines.length} lines`);
  const token = apnsToken();
  assertAnswered(await network.device().register(token, '42'), 201);

  const printed: string[] = [];
  const reached = await tokensReached(network, async () => {
    printed.push(await runCode(quickStart));
  });

  assert.deepEqual(reached, tokens(token));
  assert.match(printed.join(''), /id: 'ntf_[0-9a-f]{32}'/);
});

/** What stands in backticks. */
function namesIn(cell: string): ReadonlySet<string> {
  return new Set(Array.from(cell.matchAll(/`(\w+)`/g), ([, name = '']) => name));
}

test('the README lists every method', async () => {
  const text = await readFile(README, 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)];
  const listed = rows.map(([, resource = '', cell = '']) => [resource, namesIn(cell)]);
  const methods = Object.entries(homing).map(([resource, functions]) => [
    resource,
    new Set(Object.keys(functions as object)),
  ]);
  assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(methods));
});

test('the blocks of the guide run, one after the other, and do what they say', async () => {
  const blocks = await blocksOf(GUIDE);
  assert.ok(blocks.length >= 6);
  for (const { kid } of await homing.identityKeys.list()) await homing.identityKeys.retire(kid);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  await homing.identityKeys.add({
    kid: 'key-1',
    public_jwk: { ...publicKey.export({ format: 'jwk' }) },
  });
  const phone = network.device();
  const ask = `console.log('assertion', assertionFor({ userId: 'anna' }, '${phone.id}'));`;

  const printed = await runCode([...blocks, ask].join('\n'), {
    IDENTITY_KEY_PEM: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  });

  const assertion = /^assertion (\S+)$/m.exec(printed)?.[1];
  assertAnswered(await phone.sync({ token: apnsToken(), user: { id: 'anna', assertion } }), 201);
  await assert.rejects(homing.users.get('42'), { code: 'not_found' });
});
