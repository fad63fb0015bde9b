import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LocalPostgresOptions } from '../src/index.ts';
import { forkAtHome, type Home } from './home.ts';
import type { OwnerReport } from './owner.ts';

interface ForkPlace {
  readonly env?: Readonly<Record<string, string>>;
  /** Forks the program there, as the user whose home it is. */
  readonly home?: Home;
}

/** Another Node process that starts, owns and stops a server, or is killed while it does. */
export class OwnerProcess implements AsyncDisposable {
  readonly report: Promise<OwnerReport>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(options: LocalPostgresOptions, { env, home }: ForkPlace = {}) {
    const program = join(home?.testDirectory ?? import.meta.dirname, 'owner.ts');
    this.#child = fork(program, [JSON.stringify(options)], {
      ...(home === undefined ? {} : forkAtHome(home)),
      env: { ...process.env, ...env },
    });
    this.#exited = once(this.#child, 'exit');
    const ended = this.#exited.then(() => assert.fail('it ended without a report'));
    const report = once(this.#child, 'message').then(([report]) => report as OwnerReport);
    this.report = Promise.race([report, ended]);
    // A report is not awaited by a test that only wants the process to be there.
    this.report.catch(() => undefined);
  }

  get pid(): number {
    assert(this.#child.pid !== undefined);
    return this.#child.pid;
  }

  /** Waits for the report and requires that the start went well. */
  async owns(): Promise<Extract<OwnerReport, { kind: 'owns' }>> {
    const report = await this.report;
    assert(report.kind === 'owns', JSON.stringify(report));
    return report;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A process that has reported a failure may be gone before the word arrives.
    if (this.#child.connected) this.#child.send('stop', () => undefined);
    await this.#exited;
  }
}
