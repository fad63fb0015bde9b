import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A directory for one test file. The temporary directory of this process and of its children moves
 * into it, so that sockets and copies of programs vanish with it.
 */
export class ScratchDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #previousTmp = process.env['TMPDIR'];
  #count = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<ScratchDirectory> {
    const path = await mkdtemp(join(tmpdir(), 'hcli-'));
    // Started by root, PostgreSQL runs as another user, who has to reach its socket and its data.
    await chmod(path, 0o755);
    const scratch = new ScratchDirectory(path);
    const tmp = join(path, 'tmp');
    await mkdir(tmp);
    await chmod(tmp, 0o1777);
    process.env['TMPDIR'] = tmp;
    return scratch;
  }

  /** A path below it that nothing has yet. */
  next(): string {
    this.#count += 1;
    return join(this.path, `place-${this.#count}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#previousTmp === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = this.#previousTmp;
    // After a failed test a server may still be writing its last files.
    await rm(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
