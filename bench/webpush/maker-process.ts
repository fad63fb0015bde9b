import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { PeerProcess } from '../peer-process.ts';
import type { MakerName, MakerRequest, MakerWord } from './maker.ts';

const MAIN = fileURLToPath(new URL('maker-main.ts', import.meta.url));

/** A contestant that stays for all its rounds. */
export class MakerProcess implements AsyncDisposable {
  readonly #peer: PeerProcess;

  private constructor(peer: PeerProcess) {
    this.#peer = peer;
  }

  static async start(name: MakerName, interruption: AbortSignal): Promise<MakerProcess> {
    return new MakerProcess(await PeerProcess.start(MAIN, [name], interruption));
  }

  get pid(): number {
    return this.#peer.pid;
  }

  /** Makes so many requests and returns the seconds that it took; throws when one is wrong. */
  async run(count: number): Promise<number> {
    const word = (await this.#peer.ask({ count } satisfies MakerRequest)) as MakerWord;
    if (word.kind === 'failed') throw new Error(word.why);
    assert(word.kind === 'done');
    return word.seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
