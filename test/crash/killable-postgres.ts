import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalPostgres, type LocalPostgres } from '@homing/local-postgres';
import type { TestDatabase } from '../database.ts';

const run = promisify(execFile);

/**
 * As an operator runs it: an acknowledged commit is on disk. Written out although these are the
 * defaults, because they are what a crash test is about.
 */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

/**
 * A durable PostgreSQL of a test's own that can lose power and come back under the same URL. Its
 * database is empty: the first server that starts on it migrates it.
 */
export class KillablePostgres implements TestDatabase {
  readonly url: string;
  readonly #directory: string;
  #server: LocalPostgres;

  private constructor(directory: string, server: LocalPostgres) {
    this.url = server.url;
    this.#directory = directory;
    this.#server = server;
  }

  static async start(): Promise<KillablePostgres> {
    const directory = await mkdtemp(join(tmpdir(), 'homing-crash-'));
    return new KillablePostgres(directory, await launch(directory));
  }

  /** Makes ready for the end: the action ends all processes that there are now, without a pause. */
  async aim(): Promise<() => void> {
    const postmaster = this.#server.pid;
    const children = await childrenOf(postmaster);
    // The postmaster first, since it would start anew what it sees dying.
    return () => {
      for (const pid of [postmaster, ...children]) killNow(pid);
    };
  }

  /** After the end; resolves when a new server has recovered the data and takes connections. */
  async recover(): Promise<void> {
    // Children that were overlooked keep the shared memory, for which the launcher waits.
    await this.#server.exited;
    await this.#server[Symbol.asyncDispose]();
    this.#server = await launch(this.#directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function launch(directory: string): Promise<LocalPostgres> {
  return startLocalPostgres({ directory, settings: DURABLE });
}

async function childrenOf(parent: number): Promise<readonly number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid ?? 0);
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself, which is as good.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
