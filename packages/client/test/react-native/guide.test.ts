import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../../..');
const REFERENCES = join(import.meta.dirname, 'references');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
const INSTALL = 'npm ci --prefix packages/client/test/react-native/references';
/** Beside the modules that they import, and out of everybody's sight. */
const PLACE = join(REFERENCES, 'node_modules', '.guide');

/** What is global in Hermes, or made so by one of the modules, without types of its own. */
const GLOBALS = `declare class TextEncoder { encode(text: string): Uint8Array<ArrayBuffer> }
declare function btoa(text: string): string;
declare module 'react-native-get-random-values';
declare const crypto: { getRandomValues<Bytes extends ArrayBufferView>(bytes: Bytes): Bytes };
`;

const skip = existsSync(join(REFERENCES, 'node_modules')) ? false : `needs ${INSTALL}`;

/** The TypeScript blocks of the guide, in order. */
async function blocksOfGuide(): Promise<readonly string[]> {
  const guide = await readFile(join(ROOT, 'docs/guides/react-native.md'), 'utf8');
  return [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
}

/** What the compiler has to say of files against the real modules. */
async function compile(files: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(PLACE, { recursive: true });
  const all = { 'globals.ts': GLOBALS, ...files };
  for (const [name, text] of Object.entries(all)) await writeFile(join(PLACE, name), text);
  const project = { extends: '../../tsconfig.json', files: Object.keys(all) };
  await writeFile(join(PLACE, 'tsconfig.json'), JSON.stringify(project));
  return spawnSync(process.execPath, [COMPILER, '--project', PLACE], { encoding: 'utf8' }).stdout;
}

describe('the guide for React Native', { skip }, () => {
  let blocks: readonly string[] = [];

  before(async () => {
    blocks = await blocksOfGuide();
  });

  test('compiles against the real modules, whose types ours describe', async () => {
    assert.ok(blocks.length >= 4, 'the blocks were found');
    const [firebase = '', expo = '', ...more] = blocks;
    const files = { 'push.ts': firebase, 'expo-push.ts': expo };
    const rest = more.map((block, index) => [`more-${index}.ts`, block]);
    assert.equal(await compile({ ...files, ...Object.fromEntries(rest) }), '');
  });

  test('would not compile against modules with other functions', async () => {
    const wrong = (blocks[0] ?? '').replace("'@react-native-firebase/messaging'", "'expo-crypto'");
    assert.match(await compile({ 'push.ts': wrong }), /push\.ts.*error TS/);
  });
});
