import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalPostgres } from '../src/index.ts';

const copy = promisify(execFile);

/** Settings for servers whose data a test throws away; crashes of processes do not need fsync. */
export const THROW_AWAY = { fsync: 'off', shared_buffers: '16MB' } as const;

/**
 * A directory for one test file, with data that initdb made once and every test copies. The
 * temporary directory of this process and its children is moved into it, so that sockets and
 * copies of programs vanish with it.
 */
export class Scratch implements AsyncDisposable {
  readonly root: string;
  readonly #previousTmp = process.env['TMPDIR'];
  #count = 0;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Scratch> {
    const root = await mkdtemp(join(tmpdir(), 'hlp-'));
    // The server's user must reach its socket, as it can in an ordinary temporary directory.
    await chmod(root, 0o755);
    const scratch = new Scratch(root);
    const tmp = join(root, 'tmp');
    await mkdir(tmp);
    await chmod(tmp, 0o1777);
    process.env['TMPDIR'] = tmp;
    return scratch;
  }

  /** Makes the data that `dataCopy` copies. */
  async makeTemplate(): Promise<void> {
    await using _ = await startLocalPostgres({ directory: join(this.root, 'template') });
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
    await copy('cp', ['-R', join(this.root, 'template', 'data'), directory]);
    return directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#previousTmp === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = this.#previousTmp;
    await rm(this.root, { recursive: true, force: true });
  }
}

/** The pid in the first line of a server's lock file. */
export async function recordedPid(directory: string): Promise<number> {
  const text = await readFile(join(directory, 'data', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}
