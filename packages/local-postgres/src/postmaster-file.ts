import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLineOf } from './process-table.ts';

/** How a server below unreachable parents is told its directory; every such server has it. */
export const OWN_CWD = '/proc/self/cwd';

const EMPTY_FOR_MS = 5000;

/** What a server writes about itself into `postmaster.pid` of its data directory. */
export interface PostmasterFile {
  readonly pid: number;
  /** The data directory as the server was told, which may be another name for it. */
  readonly dataDirectory: string;
  readonly port: number;
  /** The first directory the server's socket lies in; empty until the server listens. */
  readonly socketDirectory: string;
  /** The first TCP address, or empty when the server listens on its socket only. */
  readonly listenAddress: string;
  readonly status: string;
}

/**
 * Reads the file, whose lines are: pid, data directory, start time, port, socket directory,
 * address, shared memory, status. Null when there is none, or none that begins with a pid.
 * https://www.postgresql.org/docs/18/storage-file-layout.html
 */
export async function readPostmasterFile(dataDirectory: string): Promise<PostmasterFile | null> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isInteger(pid) || pid === 0) return null;
  return {
    pid,
    dataDirectory: lines[1] ?? '',
    port: Number(lines[3] ?? 0),
    socketDirectory: lines[4] ?? '',
    listenAddress: lines[5] ?? '',
    status: lines[7] ?? '',
  };
}

/**
 * Removes a lock file that is empty and has been so for seconds. A machine that loses power just
 * then leaves one, and PostgreSQL would wait for an operator; a living server fills its file at
 * once.
 */
export async function removeEmptyLockFile(dataDirectory: string): Promise<void> {
  const path = join(dataDirectory, 'postmaster.pid');
  const status = await stat(path).catch(() => null);
  const isRemnant = status?.size === 0 && Date.now() - status.mtimeMs > EMPTY_FOR_MS;
  if (isRemnant) await rm(path, { force: true });
}

/**
 * Whether the process that the file names is really the server of this directory. The file
 * outlives a crash, and its pid may by now be anybody's, another server's of this machine
 * included; but a server has its data directory among its arguments, from before it writes the
 * file until it ends.
 */
export async function isServing(file: PostmasterFile, dataDirectory: string): Promise<boolean> {
  const commandLine = await commandLineOf(file.pid);
  if (commandLine === null || !/postgres|postmaster/.test(commandLine)) return false;
  const names = [dataDirectory, file.dataDirectory];
  return names.some((name) => name !== '' && name !== OWN_CWD && commandLine.includes(name));
}
