import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PeerProcess } from '../peer-process.ts';

/** A push that got there. */
export interface Arrival {
  readonly token: string;
  /** On the clock of `monotonicMs`. */
  readonly atMs: number;
}

const MAIN = fileURLToPath(new URL('receiver-main.ts', import.meta.url));

/**
 * Takes what nginx passes on: pushes to tokens whose times count. They come over nginx, so that
 * they share the connection with all others, as they do at a provider.
 */
export class Receiver implements AsyncDisposable {
  /** Where nginx is to pass them on to. */
  readonly socket: string;
  readonly #peer: PeerProcess;

  private constructor(socket: string, peer: PeerProcess) {
    this.socket = socket;
    this.#peer = peer;
  }

  static async start(interruption: AbortSignal): Promise<Receiver> {
    const socket = join(await mkdtemp(join(tmpdir(), 'receiver-')), 'socket');
    return new Receiver(socket, await PeerProcess.start(MAIN, [socket], interruption));
  }

  /** What arrived since it was last asked. */
  async take(): Promise<readonly Arrival[]> {
    return (await this.#peer.ask({})) as readonly Arrival[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
