import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Script } from 'node:vm';
import { fileURLToPath } from 'node:url';
import { bundleClient, bundleLine, type Bundle } from '../../../scripts/bundle-client.ts';

const SOURCES = fileURLToPath(new URL('../src/', import.meta.url));
/** What a site that loads a script without a build should have to pay for push: 8 kB. */
const MOST_BYTES = 8_192;

describe('the scripts for sites without a build', () => {
  let directory = '';
  let bundles: readonly Bundle[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'homing-bundle-'));
    bundles = await bundleClient(directory);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('take at most 8 kB on the wire each', () => {
    for (const bundle of bundles) console.log(bundleLine(bundle));
    assert.equal(bundles.length, 2);
    for (const { file, gzipBytes } of bundles) {
      assert.ok(gzipBytes <= MOST_BYTES, `${file} has ${gzipBytes} bytes gzipped`);
    }
  });

  test('hold no module of anybody else', () => {
    const foreign = bundles.flatMap(({ modules }) =>
      modules.filter((path) => !path.startsWith(SOURCES)),
    );
    assert.deepEqual(foreign, []);
  });

  test('are classic scripts, which any page and any worker can load', async () => {
    for (const { file } of bundles) {
      // Compiles it as such: an `import` or `export` would be a syntax error.
      assert.ok(new Script(await readFile(file, 'utf8'), { filename: file }));
    }
  });
});
