import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { PeerProcess } from '../peer-process.ts';
import type { SenderTarget } from './sender.ts';

export type SenderName =
  | 'homing'
  | 'homing FCM'
  | 'node:http2'
  | '@parse/node-apn'
  | 'firebase-admin';

export interface SenderRequest {
  readonly count: number;
}

export type SenderWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly why: string };

const MAIN = fileURLToPath(new URL('sender-main.ts', import.meta.url));

/** A contestant of the wire that is written in JavaScript, and stays for all its rounds. */
export class SenderProcess implements AsyncDisposable {
  readonly #peer: PeerProcess;

  private constructor(peer: PeerProcess) {
    this.#peer = peer;
  }

  static async start(
    name: SenderName,
    target: SenderTarget,
    interruption: AbortSignal,
  ): Promise<SenderProcess> {
    const args = [name, JSON.stringify(target)];
    return new SenderProcess(await PeerProcess.start(MAIN, args, interruption));
  }

  get pid(): number {
    return this.#peer.pid;
  }

  /** Sends so many and returns the seconds that it took; throws when one was not taken. */
  async run(count: number): Promise<number> {
    const word = (await this.#peer.ask({ count } satisfies SenderRequest)) as SenderWord;
    if (word.kind === 'failed') throw new Error(word.why);
    assert(word.kind === 'done');
    return word.seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}
