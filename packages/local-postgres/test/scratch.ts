import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalPostgres } from '../src/index.ts';

const run = promisify(execFile);

/** Settings for servers whose data a test throws away; crashes of processes do not need fsync. */
export const THROW_AWAY = { fsync: 'off', shared_buffers: '16MB' } as const;

/**
 * A directory for one test file, with data that initdb made once and every test copies. The
 * temporary directory of this process and its children is moved into it, so that copies of
 * programs vanish with it.
 */
export class Scratch implements AsyncDisposable {
  readonly root: string;
  /** Where the temporary directory is while this object lives. */
  readonly tmp: string;
  readonly #previousTmp = process.env['TMPDIR'];
  #count = 0;

  private constructor(root: string) {
    this.root = root;
    this.tmp = join(root, 'tmp');
  }

  static async create(): Promise<Scratch> {
    const root = await mkdtemp(join(tmpdir(), 'hlp-'));
    // The server's user must reach its socket, as it can in an ordinary temporary directory.
    await chmod(root, 0o755);
    const scratch = new Scratch(root);
    await mkdir(scratch.tmp);
    await chmod(scratch.tmp, 0o1777);
    process.env['TMPDIR'] = scratch.tmp;
    return scratch;
  }

  /** Makes the data that `dataCopy` copies. */
  async makeTemplate(): Promise<void> {
    await using _ = await startLocalPostgres({
      directory: this.sharedData(),
      settings: THROW_AWAY,
    });
  }

  /**
   * The template's own directory, for a test that leaves its data as it was. The tests of a file
   * run one after the other, and a thousand files need not be copied for each of them.
   */
  sharedData(): string {
    return join(this.root, 'template');
  }

  /** A new, empty directory. */
  async directory(): Promise<string> {
    this.#count += 1;
    const directory = join(this.root, `test-${this.#count}`);
    await mkdir(directory);
    return directory;
  }

  /** A new directory with a copy of the template's data, which as root belongs to root. */
  async dataCopy(): Promise<string> {
    const directory = await this.directory();
    // A thousand small files are copied much faster by one process than by a thousand promises.
    await run('cp', ['-R', join(this.sharedData(), 'data'), directory]);
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#previousTmp === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = this.#previousTmp;
    const left = await readdir(this.tmp);
    await rm(this.root, { recursive: true, force: true });
    // Whatever the tests of the file did to their servers, no socket directory outlives them.
    assert.deepEqual(
      left.filter((name) => name.startsWith('homing-pg-')),
      [],
    );
  }
}

/** The pid in the first line of a server's lock file. */
export async function recordedPid(directory: string): Promise<number> {
  const text = await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}
