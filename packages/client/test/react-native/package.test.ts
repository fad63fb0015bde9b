import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { SDK_VERSION } from '../../src/react-native/create-push.ts';

const PACKAGE = join(import.meta.dirname, '../..');

/** What Node has and Hermes, the engine of React Native, has not. */
const MISSING_IN_HERMES =
  /\b(?:structuredClone|TextDecoder|crypto\.(?:subtle|randomUUID|getRandomValues)|withResolvers)\b|\bAbortSignal\.(?:any|timeout)\b|\.(?:throwIfAborted|toBase64|toHex)\b|\b(?:Buffer|process)\./g;

async function sources(): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for await (const path of glob('src/{core,react-native}/**/*.ts', { cwd: PACKAGE })) {
    texts.set(path, await readFile(join(PACKAGE, path), 'utf8'));
  }
  return texts;
}

test('packets name the version of the package', async () => {
  const { version } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
  assert.equal(SDK_VERSION, `react-native/${version}`);
});

test('nothing is used that Hermes has not, nor a module that the app did not hand over', async () => {
  const texts = await sources();
  assert.ok(texts.size > 20, 'the sources were found');
  const found = [...texts].flatMap(([path, text]) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const foreign = /^import (?!type\b)[^;]*from '(?!\.\.?\/)[^']*'/gm;
    return [...code.matchAll(MISSING_IN_HERMES), ...code.matchAll(foreign)].map(
      ([use]) => `${path}: ${use}`,
    );
  });
  assert.deepEqual(found, []);
});
