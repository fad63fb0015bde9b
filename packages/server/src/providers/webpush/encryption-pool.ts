import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { packMessages, unpackBodies } from './encryption-batch.ts';
import { encryptOnce, type PlainMessage } from './message-encryption.ts';

/** The bodies of some messages in their order, null for one that nobody could read. */
export type EncryptedBodies = readonly (Buffer | null)[];

export interface EncryptionPoolOptions {
  /** Default: one for each core, four at most; the rest of the process needs a core as well. */
  readonly threads?: number;
  /** Default `LEAST_BATCH`. */
  readonly leastBatch?: number;
}

const MOST_THREADS = 4;

/**
 * So many messages are worth a thread. Handing a batch over and back costs the caller's thread as
 * much as encrypting one message or two; what it gains is the rest of the batch.
 */
const LEAST_BATCH = 4;

/** A batch that so many threads died with is the cause, and the next one would die as well. */
const MOST_DEATHS = 2;

const THREAD = new URL('encryption-thread.ts', import.meta.url);

interface Batch {
  readonly messages: readonly PlainMessage[];
  readonly startBefore: number;
  readonly resolve: (bodies: EncryptedBodies | null) => void;
  readonly reject: (error: unknown) => void;
  deaths: number;
}

interface Thread {
  readonly worker: Worker;
  batch: Batch | null;
}

/**
 * Encrypts messages on a few threads, so that the one that everything else runs on is free for the
 * network: a message costs a key pair and a shared secret, nearly a tenth of a millisecond.
 *
 * A batch waits in a line until a thread is free, and is given back when its time is up before
 * that, so that the line is never longer than what can still be sent. A thread that dies is
 * replaced, and its batch is the next one. Threads start with the first batch, and end with the
 * last holder.
 */
export class EncryptionPool {
  readonly #mostThreads: number;
  readonly #leastBatch: number;
  readonly #threads = new Set<Thread>();
  readonly #line: Batch[] = [];
  #holders = 0;

  constructor(options: EncryptionPoolOptions = {}) {
    this.#mostThreads = options.threads ?? Math.min(availableParallelism(), MOST_THREADS);
    this.#leastBatch = options.leastBatch ?? LEAST_BATCH;
  }

  /** Keeps the threads until what it returns is disposed. */
  hold(): AsyncDisposable {
    this.#holders += 1;
    return {
      [Symbol.asyncDispose]: async () => {
        this.#holders -= 1;
        if (this.#holders === 0) await this.#end();
      },
    };
  }

  /**
   * The bodies of some messages; null when no thread was free before `startBefore`, which is on the
   * scale of `performance.now()`. Rejects when threads died with this batch again and again.
   */
  async encrypt(
    messages: readonly PlainMessage[],
    startBefore: number,
  ): Promise<EncryptedBodies | null> {
    if (messages.length < this.#leastBatch || this.#mostThreads === 0) {
      return messages.map(encryptOnce);
    }
    const { promise, resolve, reject } = Promise.withResolvers<EncryptedBodies | null>();
    this.#line.push({ messages, startBefore, resolve, reject, deaths: 0 });
    this.#pump();
    return promise;
  }

  #pump(): void {
    for (;;) {
      const thread = this.#freeThread();
      if (thread === null) return;
      const batch = this.#line.shift();
      if (batch === undefined) return;
      if (performance.now() > batch.startBefore) batch.resolve(null);
      else this.#post(thread, batch);
    }
  }

  #post(thread: Thread, batch: Batch): void {
    const packed = packMessages(batch.messages);
    thread.batch = batch;
    thread.worker.postMessage(packed, [packed]);
  }

  /** One that has nothing to do, or a new one if there is work for it and room. */
  #freeThread(): Thread | null {
    for (const thread of this.#threads) if (thread.batch === null) return thread;
    return this.#line.length > 0 && this.#threads.size < this.#mostThreads ? this.#start() : null;
  }

  #start(): Thread {
    const thread: Thread = { worker: new Worker(THREAD), batch: null };
    this.#threads.add(thread);
    thread.worker.on('message', (packed: ArrayBuffer) => {
      const { batch } = thread;
      thread.batch = null;
      batch?.resolve(unpackBodies(packed));
      this.#pump();
    });
    // An error is followed by the exit; without a listener it would be thrown here.
    let failure: unknown = null;
    thread.worker.on('error', (error) => {
      failure = error;
    });
    thread.worker.on('exit', (code) => {
      this.#threads.delete(thread);
      this.#bury(thread, failure ?? new Error(`an encryption thread ended with ${code}`));
    });
    return thread;
  }

  /** Its batch goes to the next thread, before all others. */
  #bury({ batch }: Thread, failure: unknown): void {
    if (batch !== null) {
      batch.deaths += 1;
      if (batch.deaths < MOST_DEATHS) this.#line.unshift(batch);
      else batch.reject(failure);
    }
    this.#pump();
  }

  async #end(): Promise<void> {
    for (const batch of this.#line.splice(0)) batch.resolve(null);
    await Promise.all(
      [...this.#threads].map(async (thread) => {
        thread.batch?.resolve(null);
        thread.batch = null;
        await thread.worker.terminate();
      }),
    );
  }
}
