import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How the command ended, and everything that it said. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly complaints: string;
}

export type CommandEnvironment = Readonly<Record<string, string>>;

interface Listener {
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpExecArray) => void;
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Only bounds a failure: on a machine with other work a first start takes several seconds. */
const DEADLINE_MS = 60_000;

/** The command `homing` as a process of its own, under nobody's settings but those given. */
export class HomingProcess implements AsyncDisposable {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<Listener>();
  #output = '';
  #complaints = '';

  constructor(
    args: readonly string[],
    environment: CommandEnvironment = {},
    nodeOptions: readonly string[] = [],
  ) {
    const argv = ['--conditions=source', '--no-warnings', ...nodeOptions, MAIN, ...args];
    this.#child = spawn(process.execPath, argv, {
      env: { ...ownEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a test can signal it as a terminal does.
      detached: true,
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints += text;
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      output: this.#output,
      complaints: this.#complaints,
    }));
  }

  get pid(): number {
    assert(this.#child.pid !== undefined, 'Node could not be started');
    return this.#child.pid;
  }

  /** What it has written to its standard output so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves as soon as the output matches; fails when the process ends first. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const present = pattern.exec(this.#output);
    if (present !== null) return present;
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
    const listener = { pattern, resolve };
    this.#listeners.add(listener);
    const ended = this.ended.then((ending) => {
      return assert.fail(`it ended before it said ${pattern}: ${JSON.stringify(ending)}`);
    });
    try {
      return await withDeadline(Promise.race([promise, ended]), () => {
        return `it never said ${pattern}, only: ${this.#output}${this.#complaints}`;
      });
    } finally {
      this.#listeners.delete(listener);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What a terminal does at Ctrl-C: everything in the foreground gets the signal. */
  interruptGroup(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  /** Asks it to stop and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.signal(signal);
    return this.end();
  }

  /** Ends it as a power cut would, without a chance to clean up. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Waits until it has ended. */
  async end(): Promise<Ending> {
    return withDeadline(this.ended, () => `it does not end: ${this.#output}${this.#complaints}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #hear(text: string): void {
    this.#output += text;
    for (const { pattern, resolve } of this.#listeners) {
      const match = pattern.exec(this.#output);
      if (match !== null) resolve(match);
    }
  }
}

/** The environment of this process without anything that configures Homing. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => name === 'HOMING_PG_BIN' || !/^(HOMING_|DATABASE_URL$|NODE_TEST)/.test(name),
  );
  return Object.fromEntries(kept);
}

async function withDeadline<Result>(work: Promise<Result>, explain: () => string): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(explain())), DEADLINE_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
