import { chmod, lstat, mkdir, readFile, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { canEnter, runCommand } from './command.ts';
import { LocalPostgresError } from './error.ts';
import { OWN_CWD } from './postmaster-file.ts';
import { commandLineOf } from './process-table.ts';
import { giveTo, type ServerUser } from './server-user.ts';

const UNFINISHED = /^data\.new-(\d+)-/;
/** PostgreSQL refuses data that others may write or enter. */
const FORBIDDEN_MODE = 0o027;

/**
 * The major version of the data, or null when there is none yet. Throws `not_a_data_directory`
 * for a directory that holds something else: it might be precious, so it is left alone.
 */
export async function readDataMajor(dataDirectory: string): Promise<number | null> {
  const version = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version !== null) return Number(version.trim());
  const entries = await readdir(dataDirectory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unreachable(dataDirectory, error.message);
  });
  if (entries.length === 0) return null;
  throw new LocalPostgresError(
    'not_a_data_directory',
    `${dataDirectory} holds files but no PG_VERSION, so it is not PostgreSQL's. Move it away or ` +
      'choose another directory; nothing was changed.',
  );
}

/**
 * Creates the data with `initdb`, synced to disk. It grows under another name and appears by one
 * rename, so a crash in between leaves nothing that looks like data, and of two processes that
 * do this at once one wins and the other uses what the winner made.
 */
export async function createData(
  directory: string,
  binaries: Binaries,
  user: ServerUser | null,
): Promise<void> {
  await removeUnfinished(directory);
  const unfinished = join(directory, `data.new-${process.pid}-${Math.round(performance.now())}`);
  await mkdir(unfinished, { mode: 0o700 });
  await giveTo(user, unfinished);
  const answer = await runCommand(
    join(binaries.binDirectory, 'initdb'),
    ['-D', await pathFor(user, unfinished), ...initdbOptions(binaries.major)],
    { user, cwd: unfinished },
  );
  if (answer.status !== 0) {
    await rm(unfinished, { recursive: true, force: true });
    throw new LocalPostgresError('initdb_failed', `initdb failed: ${answer.stderr.trim()}`);
  }
  await rename(unfinished, join(directory, 'data')).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(unfinished, { recursive: true, force: true });
  });
}

/** Makes data that was restored or copied acceptable to PostgreSQL: its owner and its mode. */
export async function adjustData(dataDirectory: string, user: ServerUser | null): Promise<void> {
  const status = await lstat(dataDirectory);
  if (user === null && status.uid !== process.getuid?.()) {
    throw unreachable(dataDirectory, `it belongs to uid ${status.uid}`);
  }
  if (user !== null && status.uid !== user.uid) await giveTo(user, dataDirectory);
  if ((status.mode & FORBIDDEN_MODE) !== 0) await chmod(dataDirectory, 0o700);
}

/**
 * The name under which the user reaches a directory that will be its working directory. Below a
 * directory that the user may not enter (root's home), Linux offers /proc/self/cwd, which leads
 * to the working directory without walking its parents. Elsewhere this is an error.
 */
export async function pathFor(user: ServerUser | null, directory: string): Promise<string> {
  if (await canEnter(user, directory)) return directory;
  if (process.platform === 'linux') return OWN_CWD;
  throw unreachable(
    directory,
    `PostgreSQL must not run as root, and uid ${user?.uid}, under which it would run instead, ` +
      'may not enter a parent of this directory',
  );
}

function unreachable(path: string, why: string): LocalPostgresError {
  return new LocalPostgresError(
    'unreachable_directory',
    `${path} cannot be used: ${why}. Start Homing as the user who owns it, give it to the ` +
      'current user with chown, or choose a directory elsewhere.',
  );
}

/**
 * The C collation sorts alike on every machine. Since PostgreSQL 17 a built-in provider adds
 * Unicode's upper and lower case to it; before, the C locale knows ASCII only.
 */
function initdbOptions(major: number): readonly string[] {
  const locale = ['--locale=C', '--encoding=UTF8'];
  if (major >= 17) locale.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  return [
    '--username=postgres',
    '--auth=trust',
    '--no-instructions',
    '--data-checksums',
    ...locale,
  ];
}

/** An initdb whose Node process was killed leaves its unfinished directory, which is no data. */
async function removeUnfinished(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    const pid = UNFINISHED.exec(entry)?.[1];
    if (pid === undefined || (await commandLineOf(Number(pid))) !== null) continue;
    await rm(join(directory, entry), { recursive: true, force: true });
  }
  // An empty directory of the final name would only be in the way on some systems.
  await rmdir(join(directory, 'data')).catch(() => undefined);
}
