import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * A module in a process of its own that answers each word it is told with one of its own, after a
 * first one that says that it is ready. It ends when it is told no more.
 */
export class PeerProcess implements AsyncDisposable {
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

  /** Resolves when it is ready; an interruption ends it. */
  static async start(
    module: string,
    args: readonly string[],
    interruption: AbortSignal,
  ): Promise<PeerProcess> {
    const execArgv = ['--conditions=source', '--no-warnings'];
    const child = fork(module, [...args], { execArgv, signal: interruption });
    assert(child.pid !== undefined, 'Node could not be started');
    await using stack = new AsyncDisposableStack();
    const peer = stack.use(new PeerProcess(child, child.pid));
    await peer.#hear();
    stack.move();
    return peer;
  }

  /** Tells it something and returns its answer; throws when it ends instead. */
  async ask(word: object): Promise<unknown> {
    this.#child.send(word);
    return this.#hear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }

  async #hear(): Promise<unknown> {
    const heard = new AbortController();
    try {
      const { signal } = heard;
      const word = once(this.#child, 'message', { signal });
      const ended = once(this.#child, 'exit', { signal });
      const first = await Promise.race([word, ended.then(() => null)]);
      if (first === null) throw new Error('a process of the benchmark has ended too early');
      return first[0];
    } finally {
      heard.abort();
    }
  }
}
