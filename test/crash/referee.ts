import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ProviderEndpoints } from '@homing/server';
import {
  parseTakenPush,
  type RefereeReply,
  type RefereeSetting,
  type TakenPush,
} from './taken-push.ts';

const ENTRY = new URL('referee-main.ts', import.meta.url);
const START_TIMEOUT_MS = 60_000;

/**
 * The simulators in a process of their own, which no kill of a test meets. What they take is in
 * their log before the sender knows, so that the log alone says what arrived.
 */
export class Referee implements AsyncDisposable {
  readonly endpoints: ProviderEndpoints;
  readonly #child: ChildProcess;
  readonly #logFile: string;

  private constructor(child: ChildProcess, endpoints: ProviderEndpoints, logFile: string) {
    this.#child = child;
    this.endpoints = endpoints;
    this.#logFile = logFile;
  }

  /** Starts the simulators of an identity, with a log that is empty or goes on. */
  static async start(setting: RefereeSetting): Promise<Referee> {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const child = fork(ENTRY, {
      execArgv: ['--conditions=source', '--no-warnings'],
      env: environment,
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    child.send(setting);
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
    try {
      const replied = once(child, 'message', { signal }) as Promise<[RefereeReply]>;
      const ended = once(child, 'exit', { signal }).then(() => assert.fail('it did not start'));
      const [{ endpoints }] = await Promise.race([replied, ended]);
      return new Referee(child, endpoints, setting.logFile);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      over.abort();
    }
  }

  /** Everything that was taken so far, in order. */
  async *takenPushes(): AsyncGenerator<TakenPush> {
    const lines = createInterface({ input: createReadStream(this.#logFile), crlfDelay: Infinity });
    for await (const line of lines) yield parseTakenPush(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}
