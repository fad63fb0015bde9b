import { execFile } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { platformPackage } from '../src/binaries.ts';
import { readableCopy } from '../src/readable-copy.ts';

const run = promisify(execFile);

/**
 * Puts npm's platform package into a directory that does not exist yet, as an installation
 * without install scripts leaves it, readable for everyone. Returns the package's main file.
 */
export async function copyPackage(directory: string): Promise<string> {
  const main = createRequire(import.meta.url).resolve(platformPackage());
  const original = resolve(main, '..', '..');
  await mkdir(directory, { recursive: true });
  for (const part of ['package.json', 'dist']) {
    await run('cp', ['-R', join(original, part), directory]);
  }
  const copy = await readableCopy({
    nativeDirectory: join(original, 'native'),
    version: 'test',
    cacheDirectory: directory,
  });
  await rename(copy, join(directory, 'native'));
  const lib = join(directory, 'native', 'lib');
  for (const entry of await readdir(lib, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await rm(join(lib, entry.name));
  }
  return join(directory, 'dist', 'index.js');
}

/** The directory with the programs and libraries of the package with this main file. */
export function nativeOf(npmPackage: string): string {
  return resolve(npmPackage, '..', '..', 'native');
}
