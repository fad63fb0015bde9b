import { lchown, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The account the server runs under. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const LAST_RESORT: ServerUser = { uid: 65_534, gid: 65_534 };
const PREFERRED_NAMES = ['postgres', 'nobody'] as const;

/**
 * The account to run PostgreSQL under, or null for our own. PostgreSQL refuses to run as root,
 * so root picks the owner of the existing data, else `postgres`, else `nobody`, else uid 65534:
 * data that exists decides, so that a restart never changes hands.
 */
export async function chooseServerUser(dataDirectory: string): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(dataDirectory).catch(() => null);
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return accountNamed(accounts, PREFERRED_NAMES) ?? LAST_RESORT;
}

/** The first of the names that the text of a passwd(5) file knows, root's aliases excluded. */
export function accountNamed(passwd: string, names: readonly string[]): ServerUser | null {
  const rows = passwd.split('\n').map((line) => line.split(':'));
  for (const name of names) {
    const row = rows.find((fields) => fields[0] === name);
    const [uid, gid] = [Number(row?.[2]), Number(row?.[3])];
    if (Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0) return { uid, gid };
  }
  return null;
}

/** The `spawn` options that make a child run as the user; none for our own account. */
export function spawnIdentity(user: ServerUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid };
}

/** Gives a path, and all that lies below it, to the user. Symbolic links are not followed. */
export async function giveTo(user: ServerUser | null, path: string): Promise<void> {
  if (user === null) return;
  for (const entry of await readdir(path, { recursive: true }).catch(() => [])) {
    await lchown(join(path, entry), user.uid, user.gid).catch((error: NodeJS.ErrnoException) => {
      // Another start may have been faster, and its server removes files of its own.
      if (error.code !== 'ENOENT') throw error;
    });
  }
  // The top goes last: a hand-over that was interrupted is then seen, and done again.
  await lchown(path, user.uid, user.gid);
}
