import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { BackOff } from './back-off.ts';
import type { Binaries } from './binaries.ts';
import { runCommand, serverEnvironment } from './command.ts';
import { pathFor } from './data-directory.ts';
import { LocalPostgresError } from './error.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { signalProcess } from './process-table.ts';
import type { ServerLog } from './server-log.ts';
import { spawnIdentity, type ServerUser } from './server-user.ts';

/** How a server ended; both are null for one that was adopted, whose parent we are not. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server that we started. */
export interface ServerProcess {
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
}

/** What it takes to start a server on data that exists. */
export interface SpawnRequest {
  readonly binaries: Binaries;
  readonly dataDirectory: string;
  readonly user: ServerUser | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly serverLog: ServerLog;
  /** The pid in a left-over postmaster.pid that has been seen to be no server of this data. */
  readonly stalePid: number | null;
}

/** The server is there, or another one is (just ending, or just starting): look again. */
export type SpawnResult =
  | { readonly kind: 'ready'; readonly server: ServerProcess }
  | { readonly kind: 'occupied'; readonly output: string };

/** Crash recovery replays at most what `max_wal_size` allows; a slow disk takes minutes for it. */
const READY_TIMEOUT_MS = 180_000;
/**
 * That another server is there or has just left, in PostgreSQL's words: the lock files (empty for
 * the moment between their creation and the pid's writing), the shared memory that a server's
 * last children hold, and the socket directory that the launcher of a server that ended removed.
 */
const OCCUPIED = new RegExp(
  [
    'lock file ".*" (?:already exists|is empty)',
    'pre-existing shared memory block',
    'could not create lock file ".*": No such file or directory',
  ].join('|'),
);

/**
 * Starts the server and waits until it says that it is ready. Throws `start_failed` with the
 * server's own words when it ends before that, unless another server is the reason.
 */
export async function spawnServer(request: SpawnRequest): Promise<SpawnResult> {
  const logStart = await request.serverLog.size();
  const server = await spawnChild(request);
  const outcome = await waitUntilReady(server, request.dataDirectory);
  if (outcome === 'ready') return { kind: 'ready', server };
  if (outcome === 'late') {
    signalProcess(server.pid, 'SIGQUIT');
    await server.exited;
  }
  const output = await request.serverLog.since(logStart);
  if (OCCUPIED.test(output)) return { kind: 'occupied', output };
  throw new LocalPostgresError(
    'start_failed',
    `PostgreSQL ${request.binaries.version} did not start on ${request.dataDirectory}. ` +
      `Its last words (all of them are in ${request.serverLog.path}):\n${output}`,
  );
}

async function spawnChild(request: SpawnRequest): Promise<ServerProcess> {
  const { binaries, dataDirectory, user, stalePid } = request;
  const tie = await tieToParent();
  const settings = {
    ...request.settings,
    'homing.data': dataDirectory,
    'homing.launcher': String(process.pid),
    'homing.tied': tie.length > 0 ? 'on' : 'off',
  };
  const [command = '', ...args] = [
    ...tie,
    join(binaries.binDirectory, 'postgres'),
    '-D',
    await pathFor(user, dataDirectory),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  await using file = await request.serverLog.open();
  const child = spawn(command, args, {
    ...spawnIdentity(user),
    cwd: dataDirectory,
    // Ctrl-C at a terminal goes to the whole foreground group; the server must outlive us then,
    // since we still write to it while we shut down.
    detached: true,
    env: environmentFor(stalePid),
    stdio: ['ignore', file.fd, file.fd],
  });
  const exited = once(child, 'exit').then(
    ([code, signal]: (number | NodeJS.Signals | null)[]): ServerExit => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }),
  );
  if (child.pid !== undefined) return { pid: child.pid, exited };
  const failure: unknown = await exited.catch((error: unknown) => error);
  throw new LocalPostgresError('start_failed', `${command} cannot be run: ${String(failure)}`);
}

/**
 * PostgreSQL believes a lock file whose pid is alive and under its own user, even when the pid
 * belongs to another program by now. It exempts its parents', of whom the elder is named by this
 * variable of `pg_ctl`; its other interlock, the shared memory, stays in force.
 */
function environmentFor(stalePid: number | null): Record<string, string> {
  const environment = serverEnvironment();
  if (stalePid !== null) environment['PG_GRANDPARENT_PID'] = String(stalePid);
  return environment;
}

/**
 * The command that has the kernel send SIGINT, a fast shutdown, to the server when our thread
 * dies, however it dies. The kernel forgets this wish when a process changes its user, so the
 * spawn changes the user first and `setpriv` runs as the server's. Empty where there is none.
 */
async function tieToParent(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const answer = await runCommand('setpriv', ['--help']);
  return answer.stdout.includes('--pdeathsig') ? ['setpriv', '--pdeathsig', 'INT'] : [];
}

async function waitUntilReady(
  server: ServerProcess,
  dataDirectory: string,
): Promise<'ready' | 'ended' | 'late'> {
  const ended = new AbortController();
  void server.exited.finally(() => ended.abort());
  const backOff = new BackOff(READY_TIMEOUT_MS);
  while (await backOff.wait()) {
    if (ended.signal.aborted) return 'ended';
    const file = await readPostmasterFile(dataDirectory);
    if (file?.pid === server.pid && file.status === 'ready') return 'ready';
  }
  return 'late';
}
