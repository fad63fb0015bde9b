import { execFile, type ForkOptions } from 'node:child_process';
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { platformPackage } from '../src/binaries.ts';
import type { ServerUser } from '../src/server-user.ts';
import { copyPackage } from './package-copy.ts';

const run = promisify(execFile);

/**
 * The home of another user, which nobody else may enter, with a clone of what the launcher needs.
 * The project itself may lie where only root can go, so a process of that user is forked here.
 */
export interface Home {
  readonly user: ServerUser;
  readonly directory: string;
  readonly node: string;
  /** The clone's tests, where the programs to fork are. */
  readonly testDirectory: string;
}

/** Makes such a home in a directory that does not exist yet. */
export async function makeHome(directory: string, user: ServerUser): Promise<Home> {
  const clone = join(directory, 'clone', 'packages', 'local-postgres');
  const node = join(directory, 'node');
  await mkdir(clone, { recursive: true });
  for (const part of ['package.json', 'src', 'test']) {
    await run('cp', ['-R', resolve(import.meta.dirname, '..', part), clone]);
  }
  await copyPackage(join(directory, 'clone', 'node_modules', platformPackage()));
  await copyFile(process.execPath, node);
  await chmod(node, 0o755);
  await giveDirectories(user, directory);
  await run('chown', ['-R', `${user.uid}:${user.gid}`, clone]);
  await chmod(directory, 0o700);
  return { user, directory, node, testDirectory: join(clone, 'test') };
}

/** The options of `fork` for a process of the user whose home it is. */
export function forkAtHome({ user, directory, node }: Home): ForkOptions {
  return { uid: user.uid, gid: user.gid, cwd: directory, execPath: node };
}

/** The programs may share their files with the project's own, which must keep their owner. */
async function giveDirectories(user: ServerUser, directory: string): Promise<void> {
  const owner = `${user.uid}:${user.gid}`;
  await run('find', [directory, '-type', 'd', '-exec', 'chown', owner, '{}', '+']);
}
