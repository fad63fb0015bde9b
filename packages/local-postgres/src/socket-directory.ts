import { createHash } from 'node:crypto';
import { lchown, lstat, mkdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { canEnter } from './command.ts';
import { LocalPostgresError } from './error.ts';
import type { ServerUser } from './server-user.ts';

/** The shortest sun_path of the systems we know (macOS); Linux has 107. */
const LONGEST_SOCKET_PATH_BYTES = 103;
const LONGEST_SOCKET_NAME = '/.s.PGSQL.65535';
const NAME_PREFIX = 'homing-pg-';

/**
 * The second directory, below the first, that the server also listens in. It is named by a comma
 * because the `postgres` driver decodes the host of a URL, and so accepts a directory there, only
 * when it sees a list of hosts; the other drivers take the first name of such a list.
 */
const LIST_DIRECTORY = ',';

/**
 * Makes the 0700 directory of the server's unix sockets and returns it: short, because a
 * socket's path is limited, and named by a hash of the data directory, so that a restart has
 * the same URL. Throws `unsafe_socket_directory` when somebody else has put something there.
 */
export async function makeSocketDirectory(
  dataDirectory: string,
  user: ServerUser | null,
): Promise<string> {
  const digest = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 12);
  const uid = user?.uid ?? process.getuid?.() ?? 0;
  const name = `${NAME_PREFIX}${uid}-${digest}`;
  const preferred = join(tmpdir(), name);
  const longest = Buffer.byteLength(join(preferred, LIST_DIRECTORY) + LONGEST_SOCKET_NAME);
  const fits = longest <= LONGEST_SOCKET_PATH_BYTES && (await canEnter(user, tmpdir()));
  const directory = fits ? preferred : join('/tmp', name);
  await makeBoth(directory, user).catch(async (error: NodeJS.ErrnoException) => {
    // A server that has just ended takes its directory away, perhaps between two of our steps.
    if (error.code !== 'ENOENT') throw error;
    await makeBoth(directory, user);
  });
  return directory;
}

/**
 * Removes the directory of a server that has ended, if it can be. It stays when it holds
 * anything: a successor may have its socket there already, or a crash has left one, which the
 * next start takes over. A directory that is not named like ours, of a server that somebody
 * started by hand, stays too.
 */
export async function removeSocketDirectory(socketDirectory: string): Promise<void> {
  if (!basename(socketDirectory).startsWith(NAME_PREFIX)) return;
  await rmdir(join(socketDirectory, LIST_DIRECTORY)).catch(() => undefined);
  await rmdir(socketDirectory).catch(() => undefined);
}

/** The value of `unix_socket_directories`; the comma must be quoted there. */
export function socketDirectoriesSetting(socketDirectory: string): string {
  return `"${socketDirectory}","${join(socketDirectory, LIST_DIRECTORY)}"`;
}

/** A URL that leads to a database through the socket on port 5432. */
export function socketUrl(socketDirectory: string, database: string): string {
  const host = encodeURIComponent(join(socketDirectory, LIST_DIRECTORY));
  return `postgres://postgres@${host}/${database}`;
}

async function makeBoth(directory: string, user: ServerUser | null): Promise<void> {
  await makePrivate(directory, user);
  await makePrivate(join(directory, LIST_DIRECTORY), user);
}

async function makePrivate(path: string, user: ServerUser | null): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const status = await lstat(path);
  const ownUid = process.getuid?.() ?? status.uid;
  const wantedUid = user?.uid ?? ownUid;
  const trusted = status.uid === wantedUid || status.uid === ownUid;
  if (!status.isDirectory() || !trusted || (status.mode & 0o077) !== 0) {
    throw new LocalPostgresError(
      'unsafe_socket_directory',
      `${path} is where the server's socket belongs, but it is not a directory that only uid ` +
        `${wantedUid} may enter. Remove it, or set TMPDIR to a directory of your own.`,
    );
  }
  if (user !== null && status.uid !== user.uid) await lchown(path, user.uid, user.gid);
}
