import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Claim } from './claim.ts';
import { LocalPostgresError } from './error.ts';
import { Ownership } from './ownership.ts';
import { isServing, type PostmasterFile } from './postmaster-file.ts';
import { signalProcess } from './process-table.ts';
import type { ServerLog } from './server-log.ts';
import type { ServerExit, ServerProcess } from './server-process.ts';
import { removeSocketDirectory, socketUrl } from './socket-directory.ts';

/** A PostgreSQL server that this process owns. Disposing it stops the server. */
export interface LocalPostgres extends AsyncDisposable {
  /**
   * Leads to the database `homing`, for npm's `postgres` and for libpq: through the unix socket,
   * or over TCP when a port was given. A PGPORT in the environment must not contradict it.
   */
  readonly url: string;
  readonly socketDirectory: string;
  /** Names the socket's file, and the TCP port when one was given; else 5432. */
  readonly port: number;
  /** The server's version, such as `18.4`. */
  readonly version: string;
  /** The server was already running, left by a process that had been killed. */
  readonly adopted: boolean;
  /** The server's own process, the postmaster. */
  readonly pid: number;
  /** Resolves when the server has ended, whoever ended it. */
  readonly exited: Promise<ServerExit>;
}

/** A server that has just been claimed, and what stopping it will need. */
export interface LocalServerParts {
  readonly file: PostmasterFile;
  readonly claim: Extract<Claim, { kind: 'owned' }>;
  /** Null for a server that was adopted. */
  readonly process: ServerProcess | null;
  readonly dataDirectory: string;
  readonly serverLog: ServerLog;
  readonly stopTimeoutMs: number;
  readonly log: (line: string) => void;
}

const DATABASE = 'homing';
/** An immediate shutdown kills what has not ended after five seconds; this is beyond that. */
const IMMEDIATE_STOP_TIMEOUT_MS = 15_000;

/** The owner's side of a running server: its address, its lock, its end. */
export class LocalServer implements LocalPostgres {
  readonly url: string;
  readonly socketDirectory: string;
  readonly port: number;
  readonly version: string;
  readonly adopted: boolean;
  readonly pid: number;
  readonly exited: Promise<ServerExit>;
  readonly #parts: LocalServerParts;
  readonly #ownership: Ownership;
  #stopped: Promise<void> | null = null;

  constructor(parts: LocalServerParts) {
    const { file, claim, process: started } = parts;
    this.#parts = parts;
    this.socketDirectory = file.socketDirectory;
    this.port = file.port;
    this.url =
      file.listenAddress === ''
        ? socketUrl(file.socketDirectory, DATABASE)
        : `postgres://postgres@${file.listenAddress}:${file.port}/${DATABASE}`;
    this.version = claim.version.split(' ')[0] ?? claim.version;
    this.adopted = started === null;
    this.pid = file.pid;
    this.#ownership = new Ownership(claim.session, {
      address: file,
      startedByUs: started !== null,
      isAlive: () => isServing(file, parts.dataDirectory),
    });
    this.exited =
      started?.exited ?? this.#ownership.ended.then(() => ({ code: null, signal: null }));
    // The last resort where the kernel does not tie the server to us; harmless where it does.
    process.on('exit', this.#interrupt);
    void this.exited.then(() => process.off('exit', this.#interrupt));
  }

  /** Creates a database that is missing. The name is ours and needs no quoting. */
  async ensureDatabase(name: string): Promise<void> {
    assert.match(name, /^[a-z_]+$/);
    const { session } = this.#ownership;
    const found = await session.query(`select from pg_database where datname = '${name}'`);
    if (found.length === 0) await session.query(`create database ${name}`);
  }

  /** Stops the server: a fast shutdown, and an immediate one when that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { stopTimeoutMs, serverLog, log } = this.#parts;
    this.#ownership.stopReclaiming();
    using _ = serverLog;
    signalProcess(this.pid, 'SIGINT');
    if (!(await this.#endsWithin(stopTimeoutMs))) {
      log(`PostgreSQL does not stop within ${stopTimeoutMs} ms and is stopped at once.`);
      signalProcess(this.pid, 'SIGQUIT');
      if (!(await this.#endsWithin(IMMEDIATE_STOP_TIMEOUT_MS))) {
        const advice = `Its process ${this.pid} is still there; the data is safe.`;
        throw new LocalPostgresError('stop_failed', `PostgreSQL does not stop. ${advice}`);
      }
    }
    await this.#ownership.ended;
    await removeSocketDirectory(this.socketDirectory);
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    const timer = new AbortController();
    const late = delay(timeoutMs, 'late', { signal: timer.signal }).catch(() => 'late');
    const first = await Promise.race([this.exited, late]);
    timer.abort();
    return first !== 'late';
  }

  readonly #interrupt = (): void => signalProcess(this.pid, 'SIGINT');
}
