import { open, rename, stat, truncate, copyFile, type FileHandle } from 'node:fs/promises';

const LARGEST_BYTES = 4 * 1024 * 1024;
const CHECK_INTERVAL_MS = 60_000;
const TAIL_BYTES = 4096;

/**
 * The file that takes what the server says: `server.log`, and before it `server.log.1`, each a
 * few megabytes at most. A file rather than a pipe, so that a server that outlives its launcher
 * keeps its voice.
 */
export class ServerLog implements Disposable {
  readonly path: string;
  readonly #timer: NodeJS.Timeout;

  constructor(path: string) {
    this.path = path;
    this.#timer = setInterval(() => void this.bound(), CHECK_INTERVAL_MS).unref();
  }

  /** Opens the file for a server to append to. The caller closes it after the spawn. */
  async open(): Promise<FileHandle> {
    return open(this.path, 'a', 0o600);
  }

  /** Where the next line will be written, in bytes. */
  async size(): Promise<number> {
    const status = await stat(this.path).catch(() => null);
    return status?.size ?? 0;
  }

  /** The end of what was written since an offset, for an error message. */
  async since(offset: number): Promise<string> {
    await using file = await open(this.path, 'r');
    const end = (await file.stat()).size;
    const start = Math.max(offset, end - TAIL_BYTES);
    const buffer = Buffer.alloc(Math.max(end - start, 0));
    await file.read(buffer, 0, buffer.length, start);
    return buffer.toString('utf8').trim();
  }

  /**
   * Moves the content to `server.log.1` when it has grown too large. The file itself stays, as
   * the server holds it open; it appends, so it goes on at the new beginning.
   */
  async bound(): Promise<void> {
    if ((await this.size()) < LARGEST_BYTES) return;
    const copy = `${this.path}.copy`;
    await copyFile(this.path, copy);
    await truncate(this.path);
    await rename(copy, `${this.path}.1`);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
