import type { Dispatcher } from 'undici';
import type {
  Http2Answer,
  Http2NoAnswer,
  Http2NotStarted,
  Http2RequestOptions,
  Http2Result,
} from '@homing/h2';

export interface Http1ExchangeOptions extends Http2RequestOptions {
  readonly answerTimeoutMs: number;
  readonly authorization: string;
  readonly maxBodyBytes: number;
}

/** Why a request was not written, by what the library says; all else is about the connection. */
const CAUSES: Readonly<Record<string, Http2NotStarted['cause']>> = {
  UND_ERR_INVALID_ARG: 'invalid_request',
  UND_ERR_CLOSED: 'closed',
  UND_ERR_DESTROYED: 'closed',
};

/**
 * One request on its way: `waiting` until it is written to a socket, `written` until its answer is
 * whole, then `over`. Until it is written it can be taken back.
 */
export class Http1Exchange implements Dispatcher.DispatchHandler {
  readonly result: Promise<Http2Result>;
  readonly #resolve: (result: Http2Result) => void;
  readonly #authorization: string;
  readonly #maxBodyBytes: number;
  readonly #answerTimeoutMs: number;
  readonly #startBefore: number;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#takeBack('aborted', 'the caller changed its mind');
  #state: 'waiting' | 'written' | 'over' = 'waiting';
  #controller: Dispatcher.DispatchController | null = null;
  #timer: NodeJS.Timeout;
  #answer: Omit<Http2Answer, 'body' | 'isWhole'> | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(options: Http1ExchangeOptions) {
    const { promise, resolve } = Promise.withResolvers<Http2Result>();
    this.result = promise;
    this.#resolve = resolve;
    this.#authorization = options.authorization;
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#answerTimeoutMs = options.answerTimeoutMs;
    this.#startBefore = options.startBefore;
    this.#signal = options.signal;
    const leftMs = Math.max(0, options.startBefore - performance.now());
    this.#timer = setTimeout(() => this.#expire(), leftMs);
    if (leftMs === 0) this.#expire();
    else if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** False once it was given back: nobody waits for it any more. */
  get isWaiting(): boolean {
    return this.#state === 'waiting';
  }

  /**
   * Called right before the first byte is written. The clock is looked at here, because a timer
   * that is due has not yet run when a free connection takes the request at once. Throwing leaves
   * the connection in use, where `abort` would break it: one that took longer to be made than the
   * request had time is there for the next one.
   */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (performance.now() >= this.#startBefore) this.#expire();
    if (this.#state !== 'waiting') throw new Error('The request was taken back.');
    this.#state = 'written';
    this.#controller = controller;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp('TIMEOUT'), this.#answerTimeoutMs);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    const fields = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one) => ({ name, value: one })),
    );
    const authorization = this.#authorization;
    this.#answer = { kind: 'answer', status, fields, connection: 0, authorization };
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBodyBytes) this.#conclude(false);
    // Its memory is the connection's own, and is used again.
    else this.#chunks.push(Buffer.from(chunk));
  }

  onResponseEnd(): void {
    this.#conclude(true);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  /** Gives it back if it waits. */
  close(): void {
    this.#takeBack('closed', 'the pool is closing');
  }

  /** What ends a request that has no whole answer yet. */
  fail(error: unknown): void {
    if (this.#state === 'over') return;
    if (this.#answer !== null) return this.#conclude(false);
    if (this.#state === 'written') return this.#giveUp('NETWORK_AFTER_SEND');
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    this.#takeBack(CAUSES[code] ?? 'connect_failed', code);
  }

  #conclude(isWhole: boolean): void {
    const answer = this.#answer;
    if (answer === null) return this.#giveUp('NETWORK_AFTER_SEND');
    const body = isWhole ? Buffer.concat(this.#chunks).toString('utf8') : '';
    this.#end({ ...answer, body, isWhole });
    if (!isWhole) this.#controller?.abort(new Error('cut off'));
  }

  #expire(): void {
    this.#takeBack('expired', 'no room in time');
  }

  #takeBack(cause: Http2NotStarted['cause'], detail: string): void {
    if (this.#state === 'waiting') this.#end({ kind: 'not_started', cause, detail });
  }

  /** The status alone is an answer, if it came. */
  #giveUp(code: Http2NoAnswer['code']): void {
    if (this.#answer !== null) this.#conclude(false);
    else this.#end({ kind: 'no_answer', code });
    this.#controller?.abort(new Error(code));
  }

  #end(result: Http2Result): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#resolve(result);
  }
}
