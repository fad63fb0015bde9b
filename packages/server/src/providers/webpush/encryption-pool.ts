import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SendOptions } from '../provider.ts';
import { packMessages, unpackBodies } from './encryption-batch.ts';
import { EncryptionLine, type EncryptedBodies, type WaitingBatch } from './encryption-line.ts';
import { encryptOnce, type PlainMessage } from './message-encryption.ts';

export interface EncryptionPoolOptions {
  /** Default: one for each core, four at most; the rest of the process needs a core as well. */
  readonly threads?: number;
  /** Default `LEAST_BATCH`. */
  readonly leastBatch?: number;
}

const MOST_THREADS = 4;

/**
 * So many messages are worth a thread. Handing a batch over and back takes the caller's thread a
 * third of what one message does, and the other side as much again; a message that comes alone is
 * done sooner where it is.
 */
const LEAST_BATCH = 2;

/** A batch that so many threads died with is the cause, and the next one would die as well. */
const MOST_DEATHS = 2;

const THREAD = new URL('encryption-thread.ts', import.meta.url);

interface Thread {
  readonly worker: Worker;
  state: 'starting' | 'free' | 'busy';
  batch: WaitingBatch | null;
}

/**
 * Encrypts messages on a few threads, so that the one that everything else runs on is free for the
 * network: a message costs a key pair and a shared secret, a fifth of a millisecond.
 *
 * Threads start with the first holder and end with the last one; until one is ready, messages are
 * encrypted where they are. A batch waits in a line until a thread is free, as long as it can still
 * be sent. A thread that dies is replaced, and its batch is the next one.
 */
export class EncryptionPool {
  readonly #mostThreads: number;
  readonly #leastBatch: number;
  readonly #threads = new Set<Thread>();
  readonly #line = new EncryptionLine();
  #started = Promise.withResolvers<void>();
  #holders = 0;

  constructor(options: EncryptionPoolOptions = {}) {
    this.#mostThreads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
    this.#leastBatch = options.leastBatch ?? LEAST_BATCH;
  }

  /** Keeps threads until what it returns is disposed. */
  hold(): AsyncDisposable {
    this.#holders += 1;
    while (this.#threads.size < this.#mostThreads) this.#start();
    return {
      [Symbol.asyncDispose]: async () => {
        this.#holders -= 1;
        if (this.#holders === 0) await this.#end();
      },
    };
  }

  /** Resolves when the first of the threads that somebody holds is ready. */
  started(): Promise<void> {
    return this.#started.promise;
  }

  /**
   * The bodies of some messages; null when no thread was free before their time was up, or before
   * they were called off. Rejects when threads died with this batch again and again.
   */
  async encrypt(
    messages: readonly PlainMessage[],
    options: SendOptions,
  ): Promise<EncryptedBodies | null> {
    const isServed = [...this.#threads].some(({ state }) => state !== 'starting');
    if (messages.length < this.#leastBatch || !isServed) return messages.map(encryptOnce);
    const { promise, resolve, reject } = Promise.withResolvers<EncryptedBodies | null>();
    this.#line.join({ messages, options, resolve, reject, deaths: 0 });
    this.#pump();
    return promise;
  }

  #pump(): void {
    for (const thread of this.#threads) {
      if (thread.state !== 'free') continue;
      const batch = this.#line.next();
      if (batch === null) return;
      const packed = packMessages(batch.messages);
      thread.state = 'busy';
      thread.batch = batch;
      thread.worker.postMessage(packed, [packed]);
    }
  }

  #start(): void {
    const thread: Thread = { worker: new Worker(THREAD), state: 'starting', batch: null };
    this.#threads.add(thread);
    thread.worker.on('message', (word: ArrayBuffer | 'ready') => {
      // What it says while it is being ended is for nobody.
      if (!this.#threads.has(thread)) return;
      const { batch } = thread;
      thread.state = 'free';
      thread.batch = null;
      if (word === 'ready') this.#started.resolve();
      else batch?.resolve(unpackBodies(word));
      this.#pump();
    });
    // An error is followed by the exit; without a listener it would be thrown here.
    let failure: unknown = null;
    thread.worker.on('error', (error) => {
      failure = error;
    });
    thread.worker.on('exit', (code) => {
      const wasOurs = this.#threads.delete(thread);
      if (wasOurs)
        this.#bury(thread, failure ?? new Error(`an encryption thread ended with ${code}`));
    });
  }

  /**
   * Its batch goes to the next thread, before all others. One that could not even start would not
   * the next time either, and its share is done by those that did.
   */
  #bury({ state, batch }: Thread, failure: unknown): void {
    if (this.#holders > 0 && state !== 'starting') this.#start();
    if (batch !== null) {
      batch.deaths += 1;
      if (batch.deaths < MOST_DEATHS) this.#line.jump(batch);
      else batch.reject(failure);
    }
    if (this.#threads.size > 0) this.#pump();
    else this.#line.giveAllBack();
  }

  /**
   * They are the pool's no longer from the first moment, although they take a while to end: a
   * holder that comes meanwhile starts threads of its own, and none of these gets a batch.
   */
  async #end(): Promise<void> {
    const threads = [...this.#threads];
    this.#threads.clear();
    this.#started = Promise.withResolvers();
    this.#line.giveAllBack();
    for (const { batch } of threads) batch?.resolve(null);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}
