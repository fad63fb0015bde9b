import { gunzipSync } from 'node:zlib';
import type { Http2NoAnswer, Http2NotStarted } from '@homing/h2';
import type { Dispatcher } from 'undici';
import type { SendOptions } from '../provider.ts';

/** An answer of Expo, unpacked. */
export interface ExpoAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
  /** False when the connection broke before the end of the body, or when it cannot be read. */
  readonly isWhole: boolean;
}

/** What became of a request, with the same words for a lack of answers as over HTTP/2. */
export type ExpoResult = ExpoAnswer | Http2NotStarted | Http2NoAnswer;

/** Headers as the HTTP library gives them: by lower-case name. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A hundred tickets have 20 kB; whoever sends more is not to fill our memory. */
const MAX_BODY_BYTES = 1024 * 1024;

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/**
 * One request on its way. The library tells it right before the first byte is written, which is
 * where it is seen whether that is still in time: a connection may have taken long to be made.
 * Until then the deadline and the signal end it as not started; afterwards it is awaited.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: SendOptions;
  readonly #result = Promise.withResolvers<ExpoResult>();
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #isStarted = false;
  #isOver = false;
  #head: { readonly status: number; readonly headers: Headers } | null = null;

  constructor(options: SendOptions) {
    this.#options = options;
    const leftMs = Math.max(options.startBefore - performance.now(), 0);
    this.#timer = setTimeout(() => this.#giveUp('expired'), leftMs);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#giveUp('aborted');
  }

  /** Never rejects. */
  get result(): Promise<ExpoResult> {
    return this.#result.promise;
  }

  /** Throwing leaves the connection in use, which aborting does not; it may just have been made. */
  onRequestStart(): void {
    if (performance.now() >= this.#options.startBefore) this.#giveUp('expired');
    if (this.#isOver) throw new Error('nobody waits for this request any more');
    this.#isStarted = true;
    clearTimeout(this.#timer);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#head = { status, headers };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BODY_BYTES) controller.abort(new Error('the answer is too long'));
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#answer(true);
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#head !== null) {
      this.#answer(false);
      return;
    }
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    if (this.#isStarted) {
      this.#end({ kind: 'no_answer', code: TIMEOUTS.has(code) ? 'TIMEOUT' : 'NETWORK_AFTER_SEND' });
    } else this.#end({ kind: 'not_started', cause: 'connect_failed', detail: code });
  }

  readonly #onAbort = (): void => this.#giveUp('aborted');

  #giveUp(cause: 'expired' | 'aborted'): void {
    if (!this.#isStarted) this.#end({ kind: 'not_started', cause, detail: '' });
  }

  #answer(isComplete: boolean): void {
    if (this.#head === null) return;
    const { status, headers } = this.#head;
    const body = isComplete ? unpacked(Buffer.concat(this.#chunks), headers) : null;
    const retryAfter = textOf(headers['retry-after']);
    this.#end({ kind: 'answer', status, body: body ?? '', retryAfter, isWhole: body !== null });
  }

  #end(result: ExpoResult): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#result.resolve(result);
  }
}

/** Null for what is packed in a way that was not asked for, or unpacks to far too much. */
function unpacked(bytes: Buffer, headers: Headers): string | null {
  const encoding = textOf(headers['content-encoding']) ?? 'identity';
  if (encoding === 'identity') return bytes.toString('utf8');
  if (encoding !== 'gzip') return null;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BODY_BYTES }).toString('utf8');
  } catch {
    return null;
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
