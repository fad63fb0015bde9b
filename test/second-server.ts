import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Config } from '@homing/server';
import type { TestClock } from './clock.ts';

/** What a server process is started with. */
export interface ServerSetting {
  readonly config: Config;
  /** In base64, since messages are JSON. */
  readonly masterKey: string;
  readonly offsetMs: number;
}

export type ServerWish =
  | { readonly kind: 'set_clock'; readonly offsetMs: number }
  | { readonly kind: 'drain' }
  | { readonly kind: 'stop' };

export type ServerOrder = ServerWish & { readonly number: number };

/** To the order of this number; the number 0 says that the server has started. */
export interface ServerReply {
  readonly number: number;
  readonly url: string | null;
  readonly failure: string | null;
}

/** What a second server shares with the network that it joins. */
export interface ServerSurroundings {
  readonly config: Config;
  readonly masterKey: Buffer;
  readonly clock: TestClock;
}

/** One life of the server's process, from start to end. */
interface Incarnation {
  readonly child: ChildProcess;
  readonly url: string | null;
  readonly waiting: Map<number, PromiseWithResolvers<void>>;
  readonly exited: Promise<unknown>;
  readonly following: Disposable;
}

const ENTRY = new URL('second-server-main.ts', import.meta.url);
/** A process that has lost its parent, or cannot start, must not make a test wait forever. */
const START_TIMEOUT_MS = 60_000;

/**
 * A server of a network in a process of its own, on the same database, simulators and master key.
 * Its clock follows the network's. It can be killed and started again; disposing it stops it.
 */
export class SecondServer implements AsyncDisposable {
  readonly #surroundings: ServerSurroundings;
  readonly #killed = new WeakSet<ChildProcess>();
  readonly #deaths: string[] = [];
  #life: Incarnation | null = null;
  #orders = 0;

  /** Starts nothing yet; see `startSecondServer`. */
  constructor(surroundings: ServerSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Base URL of its API. It changes with every start; that of one that was killed refuses. */
  get url(): string {
    const url = this.#life?.url ?? null;
    assert(url !== null, 'a server that runs and is more than a worker');
    return url;
  }

  get isRunning(): boolean {
    return this.#life !== null;
  }

  /** How each of its processes ended that neither stopped nor was killed from here. */
  get deaths(): readonly string[] {
    return this.#deaths;
  }

  /** Starts it, for the first time or after a kill; resolves when it serves. */
  async start(): Promise<void> {
    assert(this.#life === null, 'it runs already');
    const { config, masterKey, clock } = this.#surroundings;
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const child = fork(ENTRY, {
      execArgv: ['--conditions=source', '--no-warnings'],
      env: environment,
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    const exited = once(child, 'exit');
    child.once('exit', (code, signal) => this.#note(child, signal ?? code));
    const { offsetMs } = clock;
    const setting: ServerSetting = { config, masterKey: masterKey.toString('base64'), offsetMs };
    child.send(setting);
    const url = await firstReply(child).catch((error: unknown) => {
      this.#kill(child);
      throw error;
    });
    const following = clock.follow((offset) =>
      this.#order({ kind: 'set_clock', offsetMs: offset }),
    );
    const life: Incarnation = { child, url, waiting: new Map(), exited, following };
    this.#life = life;
    child.on('message', (reply: ServerReply) => settle(life, reply));
    child.once('exit', () => this.#ended(life));
    // The clock may have moved while the process started.
    if (clock.offsetMs !== offsetMs) {
      await this.#order({ kind: 'set_clock', offsetMs: clock.offsetMs });
    }
  }

  /** Waits until it has no work left that could be done now. Rejects when it is killed. */
  async drain(): Promise<void> {
    await this.#order({ kind: 'drain' });
  }

  /** Ends it as a power cut would: `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#kill(life.child);
    await life.exited;
  }

  /** Freezes it: nothing of it runs until `thaw`, and nobody is told. */
  freeze(): void {
    this.#life?.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#life?.child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    await this.#order({ kind: 'stop' });
    await life.exited;
  }

  /** One that is not running has no clock to set and no work to do. */
  async #order(wish: ServerWish): Promise<void> {
    const life = this.#life;
    if (life === null) return;
    this.#orders += 1;
    const number = this.#orders;
    const waiting = Promise.withResolvers<void>();
    life.waiting.set(number, waiting);
    life.child.send({ ...wish, number }, (error) => {
      if (error !== null) waiting.reject(error);
    });
    await waiting.promise;
  }

  #kill(child: ChildProcess): void {
    this.#killed.add(child);
    child.kill('SIGKILL');
  }

  /** One that stops, or says that it cannot start, ends with code 0. */
  #note(child: ChildProcess, end: NodeJS.Signals | number | null): void {
    const isKill = end === 'SIGKILL' && this.#killed.has(child);
    if (end !== 0 && !isKill) this.#deaths.push(`process ${child.pid} was ended by ${end}`);
  }

  #ended(life: Incarnation): void {
    life.following[Symbol.dispose]();
    if (this.#life === life) this.#life = null;
    for (const { reject } of life.waiting.values()) reject(new Error('The server was killed.'));
  }
}

/** Starts a server process beside a network. Dispose it before the network. */
export async function startSecondServer(surroundings: ServerSurroundings): Promise<SecondServer> {
  const server = new SecondServer(surroundings);
  await server.start();
  return server;
}

function settle(life: Incarnation, { number, failure }: ServerReply): void {
  const waiting = life.waiting.get(number);
  life.waiting.delete(number);
  if (failure === null) waiting?.resolve();
  else waiting?.reject(new Error(`The second server says: ${failure}`));
}

/** The base URL that a process reports once it serves; null for a mere worker. */
async function firstReply(child: ChildProcess): Promise<string | null> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(START_TIMEOUT_MS)]);
  try {
    const started = once(child, 'message', { signal }) as Promise<[ServerReply]>;
    const ended = once(child, 'exit', { signal }).then(([code, killed]) => {
      throw new Error(`The second server did not start: ended by ${String(killed ?? code)}.`);
    });
    const [{ url, failure }] = await Promise.race([started, ended]);
    if (failure !== null) throw new Error(`The second server did not start: ${failure}`);
    return url;
  } finally {
    over.abort();
  }
}
