import { mkdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BackOff } from './back-off.ts';
import { findBinaries, platformPackage, systemDirectories, type Binaries } from './binaries.ts';
import { claimServer } from './claim.ts';
import { adjustData, createData, readDataMajor } from './data-directory.ts';
import { LocalPostgresError } from './error.ts';
import { LocalServer, type LocalPostgres } from './local-server.ts';
import {
  isServing,
  readPostmasterFile,
  removeEmptyLockFile,
  type PostmasterFile,
} from './postmaster-file.ts';
import { signalProcess } from './process-table.ts';
import { ServerLog } from './server-log.ts';
import { spawnServer, type ServerProcess } from './server-process.ts';
import { chooseServerUser, type ServerUser } from './server-user.ts';
import { serverSettings } from './settings.ts';
import { makeSocketDirectory, removeSocketDirectory } from './socket-directory.ts';

/** What to start, and where its data lies. */
export interface LocalPostgresOptions {
  /** Holds `data` and `server.log`; created when missing. The data survives restarts. */
  readonly directory: string;
  /** Told in sentences what the launcher does; the server's own words are in `server.log`. */
  readonly log?: (line: string) => void;
  /** More PostgreSQL settings, such as `{ fsync: 'off' }` for a test's throw-away server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The operator's HOMING_PG_BIN; without it npm's PostgreSQL is used, then the system's. */
  readonly binDirectory?: string | null;
  /** Also listen on 127.0.0.1, where every local user may then log in. Default: socket only. */
  readonly port?: number | null;
  /** How long a fast shutdown may take before an immediate one follows. Default: 10,000. */
  readonly stopTimeoutMs?: number;
}

/** A start, once its options have been checked and its directory exists. */
interface Launch {
  readonly options: LocalPostgresOptions;
  readonly log: (line: string) => void;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly user: ServerUser | null;
  readonly serverLog: ServerLog;
}

/** One look at the directory: either a server to return, or a reason to look again. */
type Attempt = { readonly server: LocalServer } | { readonly server: null; readonly why: string };

const DATABASE = 'homing';
const DEFAULT_STOP_TIMEOUT_MS = 10_000;
/** Bounds the wait for a predecessor that is shutting down, whose last checkpoint takes time. */
const PREDECESSOR_TIMEOUT_MS = 60_000;
/** A server whose parent has died gets its signal at once; this long after, it never will. */
const TIED_GRACE_MS = 3000;

/**
 * Starts PostgreSQL on a directory, or adopts the server that a killed process left there, and
 * makes sure that the database `homing` exists. Returns when the server answers. Disposing the
 * result stops the server.
 *
 * Throws `LocalPostgresError`: `owned_by_other` when a living process owns the server, the other
 * codes when it cannot be started. Data is created when there is none and never deleted.
 */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const launch = await prepare(options);
  try {
    await using opened = new AsyncDisposableStack();
    const server = opened.use(await obtainServer(launch));
    await server.ensureDatabase(DATABASE);
    opened.move();
    return server;
  } catch (error) {
    launch.serverLog[Symbol.dispose]();
    throw error;
  }
}

async function prepare(options: LocalPostgresOptions): Promise<Launch> {
  if (process.platform === 'win32') {
    throw new LocalPostgresError(
      'unsupported_platform',
      'The built-in PostgreSQL does not run on Windows. Use WSL, or set HOMING_DATABASE_URL.',
    );
  }
  // Checked before anything is created: a wrong setting must not leave a directory behind.
  serverSettings({ socketDirectory: '/', port: options.port ?? null, extra: options.settings });
  await mkdir(resolve(options.directory), { recursive: true });
  // One directory has one name, so that its server is found again through a symbolic link.
  const directory = await realpath(options.directory);
  const dataDirectory = join(directory, 'data');
  const serverLog = new ServerLog(join(directory, 'server.log'));
  const user = await chooseServerUser(dataDirectory);
  const log = options.log ?? (() => undefined);
  return { options, log, directory, dataDirectory, user, serverLog };
}

/** Looks, and acts on what it sees, until a server is ours, somebody else's, or time is up. */
async function obtainServer(launch: Launch): Promise<LocalServer> {
  const backOff = new BackOff(PREDECESSOR_TIMEOUT_MS);
  const takeTiedAtMs = performance.now() + TIED_GRACE_MS;
  for (;;) {
    const file = await readPostmasterFile(launch.dataDirectory);
    const attempt =
      file !== null && (await isServing(file, launch.dataDirectory))
        ? await adopt(launch, file, performance.now() > takeTiedAtMs)
        : await startServer(launch, file?.pid ?? null);
    if (attempt.server !== null) return attempt.server;
    if (await backOff.wait()) continue;
    throw new LocalPostgresError(
      'start_failed',
      `The server that runs on ${launch.dataDirectory} (pid ${file?.pid ?? 'unknown'}) neither ` +
        `ends nor can be used: ${attempt.why}. Stop it with kill -INT, then start again.`,
    );
  }
}

async function adopt(launch: Launch, file: PostmasterFile, takeTied: boolean): Promise<Attempt> {
  if (file.status !== 'ready') return { server: null, why: `it is "${file.status}"` };
  const claim = await claimServer(file, false, takeTied);
  if (claim.kind === 'refused') throw ownedByOther(launch, claim.ownerPid);
  if (claim.kind === 'no_answer') return { server: null, why: claim.why };
  if (claim.kind === 'leaving') return { server: null, why: 'its parent died, it should stop' };
  launch.log(`PostgreSQL ${claim.version} was running without an owner and is adopted.`);
  return { server: localServer(launch, file, claim, null) };
}

async function startServer(launch: Launch, stalePid: number | null): Promise<Attempt> {
  const { dataDirectory, user, serverLog, options } = launch;
  const binaries = await binariesFor(launch);
  await adjustData(dataDirectory, user);
  await serverLog.bound();
  await removeEmptyLockFile(dataDirectory);
  const socketDirectory = await makeSocketDirectory(dataDirectory, user);
  const port = options.port ?? null;
  const settings = serverSettings({ socketDirectory, port, extra: options.settings });
  const spawned = await spawnServer({
    binaries,
    dataDirectory,
    user,
    settings,
    serverLog,
    stalePid,
  }).catch(async (error: unknown) => {
    await removeSocketDirectory(socketDirectory);
    throw error;
  });
  if (spawned.kind === 'occupied') return { server: null, why: spawned.output };

  const file = await readPostmasterFile(dataDirectory);
  const claim = file === null ? null : await claimServer(file, true, true);
  if (file !== null && claim?.kind === 'owned') {
    launch.log(`PostgreSQL ${claim.version} runs on ${dataDirectory} as pid ${file.pid}.`);
    return { server: localServer(launch, file, claim, spawned.server) };
  }
  signalProcess(spawned.server.pid, 'SIGINT');
  await spawned.server.exited;
  await removeSocketDirectory(socketDirectory);
  if (claim?.kind === 'refused') throw ownedByOther(launch, claim.ownerPid);
  return { server: null, why: claim?.kind === 'no_answer' ? claim.why : 'it ended' };
}

async function binariesFor(launch: Launch): Promise<Binaries> {
  const { directory, dataDirectory, user, options } = launch;
  const dataMajor = await readDataMajor(dataDirectory);
  const binaries = await findBinaries({
    configured: options.binDirectory ?? null,
    dataMajor,
    user,
    cacheDirectories: [directory],
    npmPackage: platformPackage(),
    systemDirectories: await systemDirectories(),
  });
  if (dataMajor === null) {
    launch.log(`PostgreSQL ${binaries.version} creates its data in ${dataDirectory}.`);
    await createData(directory, binaries, user);
  }
  return binaries;
}

function localServer(
  launch: Launch,
  file: PostmasterFile,
  claim: ConstructorParameters<typeof LocalServer>[0]['claim'],
  process: ServerProcess | null,
): LocalServer {
  return new LocalServer({
    file,
    claim,
    process,
    dataDirectory: launch.dataDirectory,
    serverLog: launch.serverLog,
    stopTimeoutMs: launch.options.stopTimeoutMs ?? DEFAULT_STOP_TIMEOUT_MS,
    log: launch.log,
  });
}

function ownedByOther(launch: Launch, ownerPid: number): LocalPostgresError {
  return new LocalPostgresError(
    'owned_by_other',
    `${launch.directory} is in use by the process ${ownerPid}. Stop that one first, or choose ` +
      'another directory.',
    ownerPid,
  );
}
