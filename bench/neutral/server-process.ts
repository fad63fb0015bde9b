import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Only bounds a failure; both programs listen within a tenth of a second. */
const START_DEADLINE_MS = 10_000;
const LOOK_AGAIN_MS = 20;

/** A server in a process of its own, which says nothing when it begins to listen. */
export class ServerProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    this.#ended = once(child, 'close');
  }

  /** Resolves once the port takes connections; throws with the server's words when it ends. */
  static async start(
    command: string,
    args: readonly string[],
    port: number,
  ): Promise<ServerProcess> {
    const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    await once(child, 'spawn');
    assert(child.pid !== undefined);
    await using stack = new AsyncDisposableStack();
    const server = stack.use(new ServerProcess(child, child.pid));
    const deadlineMs = performance.now() + START_DEADLINE_MS;
    while (!(await listens(port))) {
      const isLost = child.exitCode !== null || performance.now() > deadlineMs;
      if (isLost) throw new Error(`${command} does not listen on ${port}:\n${complaints}`);
      await wait(LOOK_AGAIN_MS);
    }
    stack.move();
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
