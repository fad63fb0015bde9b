import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DEADLINE_MS = 60_000;

/** A fresh directory that goes when the stack is disposed. */
export async function ownDirectory(stack: AsyncDisposableStack, prefix: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), prefix));
  stack.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

export interface BrowserCommand {
  readonly program: string;
  readonly argv: readonly string[];
  /** Where it keeps everything, in place of a person's home. */
  readonly profile: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Descriptors from 2 on: the standard error, then what the browser is driven by. */
  readonly pipes: readonly ('ignore' | 'pipe')[];
}

/**
 * Starts a browser. When the stack is disposed it waits until the browser, which has been told to
 * close by then, has ended, and kills one that does not.
 */
export function startBrowserProcess(
  stack: AsyncDisposableStack,
  command: BrowserCommand,
): ChildProcess {
  const { program, argv, profile, environment, pipes } = command;
  const child = spawn(program, argv, {
    // Anything under the home of whoever runs the test is none of this browser's business.
    env: { ...process.env, HOME: profile, ...environment },
    stdio: ['ignore', 'ignore', ...pipes],
  });
  const ended = once(child, 'exit');
  stack.defer(async () => {
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    await ended;
    clearTimeout(deadline);
  });
  return child;
}

/** What the browser says when it is ready, unless it ends or takes too long; then it is killed. */
export async function untilReady<T>(child: ChildProcess, ready: Promise<T>): Promise<T> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const onExit = (): void => reject(new Error('The browser has ended.'));
  child.once('exit', onExit);
  const deadline = setTimeout(() => reject(new Error('The browser took too long.')), DEADLINE_MS);
  try {
    return await Promise.race([ready, failed]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(deadline);
    child.off('exit', onExit);
  }
}
