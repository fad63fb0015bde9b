import type { Http2NoAnswer, Http2NotStarted } from '@homing/h2';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';
import type { SendOptions } from '../provider.ts';
import type { HmsEndpoints } from './settings.ts';

/** A call takes as many tokens as an ownership check lets through: few connections suffice. */
const MAX_CONNECTIONS = 64;

/**
 * How many pushes can be under way at once. Those that differ need a call each, and eight calls in
 * a row on one connection take less than the second in which a push must have started.
 */
export const IN_FLIGHT = 8 * MAX_CONNECTIONS;

/** An answer may list a thousand dead tokens; whoever sends more is not to fill our memory. */
const MAX_BODY_BYTES = 1024 * 1024;

export const ANSWER_TIMEOUT_MS = 15_000;

export interface HmsRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HmsAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
  /** Empty when it is too long or was cut off. */
  readonly body: string;
  readonly isWhole: boolean;
}

/** What became of a call, in the words of the HTTP/2 providers. */
export type HmsResult = HmsAnswer | Http2NoAnswer | Http2NotStarted;

/**
 * The connections to Push Kit: HTTP/1.1 that is kept alive, one call at a time on each, since an
 * answer that stays away leaves the calls behind it in doubt.
 */
export class HmsConnections implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #answerTimeoutMs: number;

  constructor({ api, ca }: HmsEndpoints, answerTimeoutMs: number) {
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#pool = new Pool(new URL(api).origin, {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: 10_000, ...(ca === null ? {} : { ca }) },
      keepAliveTimeout: 30_000,
      // Each call has a clock of its own, which also knows the time in line.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Makes a call. Never rejects. */
  request({ path, headers, body }: HmsRequest, options: SendOptions): Promise<HmsResult> {
    const call = new Call(options, this.#answerTimeoutMs);
    this.#pool.dispatch({ method: 'POST', path, headers, body }, call);
    return call.result;
  }

  /** Waits for the answers to what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }
}

/** Headers as the HTTP library gives them: by lower-case name. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

type NotStartedCause = Http2NotStarted['cause'];

/**
 * One call: in line → started → answering → done. In line it may run out of time or be called off,
 * and nothing was handed over; from its start on it ends with an answer, or in doubt.
 */
class Call implements Dispatcher.DispatchHandler {
  readonly result: Promise<HmsResult>;
  readonly #resolve: (result: HmsResult) => void;
  readonly #options: SendOptions;
  readonly #answerTimeoutMs: number;
  readonly #onAbort = (): void => this.#neverStarted('aborted');
  readonly #chunks: Buffer[] = [];
  #timer: NodeJS.Timeout;
  #isStarted = false;
  #isDone = false;
  #head: Pick<HmsAnswer, 'status' | 'retryAfter' | 'date'> | null = null;
  #bytes = 0;

  constructor(options: SendOptions, answerTimeoutMs: number) {
    ({ promise: this.result, resolve: this.#resolve } = Promise.withResolvers<HmsResult>());
    this.#options = options;
    this.#answerTimeoutMs = answerTimeoutMs;
    const leftMs = Math.max(options.startBefore - performance.now(), 0);
    this.#timer = setTimeout(() => this.#neverStarted('expired'), leftMs);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#neverStarted('aborted');
  }

  /** Called when the request is about to be written; throwing leaves the connection in use. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (performance.now() >= this.#options.startBefore) this.#neverStarted('expired');
    if (this.#isDone) throw new Error('The call is not wanted any more.');
    this.#isStarted = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#end({ kind: 'no_answer', code: 'TIMEOUT' });
      controller.abort(new Error('No answer in time.'));
    }, this.#answerTimeoutMs);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
  ): void {
    const retryAfter = only(headers['retry-after']);
    this.#head = { status, retryAfter, date: only(headers['date']) };
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_BODY_BYTES) this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#answered(this.#bytes <= MAX_BODY_BYTES);
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#head !== null) this.#answered(false);
    else if (this.#isStarted) this.#end({ kind: 'no_answer', code: 'NETWORK_AFTER_SEND' });
    else {
      const code = 'code' in error ? String(error.code) : error.name;
      const isClosing = code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED';
      this.#neverStarted(isClosing ? 'closed' : 'connect_failed', code);
    }
  }

  #answered(isWhole: boolean): void {
    if (this.#head === null) return;
    const body = isWhole ? Buffer.concat(this.#chunks).toString('utf8') : '';
    this.#end({ kind: 'answer', ...this.#head, body, isWhole });
  }

  #neverStarted(cause: NotStartedCause, detail = ''): void {
    this.#end({ kind: 'not_started', cause, detail });
  }

  #end(result: HmsResult): void {
    if (this.#isDone) return;
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#resolve(result);
  }
}

function only(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
