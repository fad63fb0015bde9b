import { createHash } from 'node:crypto';
import {
  chmod,
  constants,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { LocalPostgresError } from './error.ts';
import { recreateSymlinks } from './symlinks.ts';

/** What is copied, and where the copy goes. */
export interface CopyRequest {
  readonly nativeDirectory: string;
  readonly version: string;
  readonly cacheDirectory: string;
}

/** Only linkers need these, and they are a tenth of the package. */
const UNNEEDED = /\.(?:a|pc)$/;
const OTHERS_MAY_WRITE = 0o022;

/**
 * Returns a complete copy of the `native` directory, with its library links, that every user
 * may read and only we may write. The copy is named by version and content list, appears by one
 * rename, and is reused by later starts; one that lost files (a cleaner of temporary
 * directories) is made anew.
 */
export async function readableCopy(request: CopyRequest): Promise<string> {
  const wanted = await listOf(request.nativeDirectory);
  const digest = createHash('sha256').update(wanted.join('\n')).digest('hex').slice(0, 12);
  const name = `homing-postgres-${request.version}-${digest}-${process.getuid?.() ?? 'user'}`;
  const copy = join(request.cacheDirectory, name);
  if (await isComplete(copy, wanted)) {
    await recreateSymlinks(copy);
    return copy;
  }

  const unfinished = `${copy}.${process.pid}-${performance.now()}`;
  await copyFiles(request.nativeDirectory, unfinished, wanted);
  await recreateSymlinks(unfinished);
  await putInPlace(unfinished, copy, wanted);
  return copy;
}

/** The names of all files that matter; links are left out, since the package may lack them. */
async function listOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !UNNEEDED.test(path))
    .sort();
}

async function isComplete(copy: string, wanted: readonly string[]): Promise<boolean> {
  const status = await lstat(copy).catch(() => null);
  if (status === null) return false;
  // A temporary directory is everybody's: programs that another user put there are never run.
  const ours = status.isDirectory() && status.uid === process.getuid?.();
  if (!ours || (status.mode & OTHERS_MAY_WRITE) !== 0) {
    throw new LocalPostgresError(
      'unreadable_binaries',
      `${copy} is where a copy of the PostgreSQL programs belongs, but it is not a directory ` +
        'that only we may write. Remove it, or set HOMING_PG_BIN to a readable bin directory.',
    );
  }
  const present = new Set(await listOf(copy));
  return wanted.every((path) => present.has(path));
}

/**
 * Copies file by file, many at a time: a thousand small files take a tenth of the time that
 * `cp` of node:fs needs.
 */
async function copyFiles(from: string, to: string, paths: readonly string[]): Promise<void> {
  const directories = new Set(paths.flatMap((path) => withParents(dirname(path))));
  for (const directory of [...directories].sort()) {
    await mkdir(join(to, directory));
    await chmod(join(to, directory), 0o755);
  }
  const copies = paths.map((path) => {
    const mode = basename(dirname(path)) === 'bin' ? 0o755 : 0o644;
    return placeFile(join(from, path), join(to, path), mode);
  });
  await Promise.all(copies);
}

/**
 * Gives the file a second name where that is as good as a copy: it is ours, only we may write
 * it, and everyone may do with it what the mode allows. That spares the disk the size of the
 * programs and a thousand new files. Otherwise, and across file systems, the file is copied and
 * its mode set anew, as a strict umask must not make the copy as unreadable as its original.
 */
async function placeFile(from: string, to: string, mode: number): Promise<void> {
  const status = await stat(from);
  const isOurs = status.uid === process.getuid?.() && (status.mode & OTHERS_MAY_WRITE) === 0;
  if (isOurs && (status.mode & mode) === mode && (await linkFile(from, to))) return;
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, mode);
}

/** Returns false where the file system, or the kernel's rules for links, do not allow it. */
async function linkFile(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    () => false,
  );
}

/** The directory and those above it, up to the root of the tree. */
function withParents(directory: string): readonly string[] {
  return directory === '.' ? ['.'] : [...withParents(dirname(directory)), directory];
}

async function putInPlace(unfinished: string, copy: string, wanted: readonly string[]) {
  const damaged = `${unfinished}.damaged`;
  // Another start may have been faster; its copy is as good as ours.
  if (!(await isComplete(copy, wanted))) {
    await rename(copy, damaged).catch(() => undefined);
    await rename(unfinished, copy).catch(() => undefined);
  }
  await rm(unfinished, { recursive: true, force: true });
  await rm(damaged, { recursive: true, force: true });
}
