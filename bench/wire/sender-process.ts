import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SenderTarget } from './sender.ts';

export type SenderName = 'homing' | 'node:http2' | '@parse/node-apn';

export interface SenderRequest {
  readonly count: number;
}

type SenderWord =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly why: string };

const MAIN = fileURLToPath(new URL('sender-main.ts', import.meta.url));

/** A contestant of the wire that is written in JavaScript, and stays for all its rounds. */
export class SenderProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
    // An interruption is one; whoever waits for a word is told by the end of the process.
    child.on('error', () => {});
  }

  /** Resolves when it has its connection; an interruption ends it. */
  static async start(
    name: SenderName,
    target: SenderTarget,
    interruption: AbortSignal,
  ): Promise<SenderProcess> {
    const execArgv = ['--conditions=source', '--no-warnings'];
    const child = fork(MAIN, [name, JSON.stringify(target)], { execArgv, signal: interruption });
    assert(child.pid !== undefined);
    await using stack = new AsyncDisposableStack();
    const process = stack.use(new SenderProcess(child, child.pid));
    const word = await process.#hear();
    assert.equal(word.kind, 'ready');
    stack.move();
    return process;
  }

  /** Sends so many and returns the seconds that it took; throws when one was not taken. */
  async run(count: number): Promise<number> {
    this.#child.send({ count } satisfies SenderRequest);
    const word = await this.#hear();
    if (word.kind === 'failed') throw new Error(word.why);
    assert(word.kind === 'done');
    return word.seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }

  async #hear(): Promise<SenderWord> {
    const heard = new AbortController();
    try {
      const { signal } = heard;
      const word = once(this.#child, 'message', { signal });
      const ended = once(this.#child, 'exit', { signal });
      const first = await Promise.race([word, ended.then(() => null)]);
      if (first === null) throw new Error('the process of a contestant has ended');
      return first[0] as SenderWord;
    } finally {
      heard.abort();
    }
  }
}
