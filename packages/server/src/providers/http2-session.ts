import assert from 'node:assert/strict';
import { connect, constants, sensitiveHeaders } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type {
  Http2Answer,
  Http2NoAnswer,
  Http2NotStarted,
  Http2Request,
} from './http2-exchange.ts';
import { followStream } from './http2-stream.ts';
import type { StreamEnd } from './http2-stream.ts';

export interface Http2SessionOptions {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Valid PEM certificates to trust instead of the system's; null trusts the system's. */
  readonly ca: string | null;
  /**
   * The value of the `authorization` field, asked for when a request is put on a stream: what
   * waited for room while the credential was renewed must not carry the old one.
   */
  readonly authorization: () => string;
  /** From the first packet until the peer's SETTINGS. */
  readonly connectTimeoutMs: number;
  /** From the request until the end of its answer. */
  readonly answerTimeoutMs: number;
  /** Our own ceiling for open streams; the peer's SETTINGS may ask for less at any time. */
  readonly maxStreams: number;
  /** A connection that was silent for so long has to answer a PING. */
  readonly pingAfterMs: number;
  readonly pingTimeoutMs: number;
  /** A connection without a request for so long is closed. */
  readonly idleTimeoutMs: number;
  /** An older connection takes no new requests, so that load follows the provider's DNS. */
  readonly maxAgeMs: number;
}

/**
 * `refused`: the peer vouches that it did not process the request, so a resend cannot duplicate it.
 */
export type SessionResult =
  | Http2Answer
  | Http2NoAnswer
  | Http2NotStarted
  | { readonly kind: 'refused' };

/**
 * - `connecting`: until the peer's first SETTINGS. Node reports a stream limit of 100 before, and
 *   requests above the real limit would be refused.
 * - `open`: takes requests while `room` is positive.
 * - `draining`: after GOAWAY, `drain()` or old age; answers still come, nothing new is taken.
 * - `closed`: the socket is gone and every request has its result.
 */
export type Http2SessionState = 'connecting' | 'open' | 'draining' | 'closed';

let sessionsMade = 0;

function errorCode(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}

/** One HTTP/2 connection over TLS. Its owner hears of every change that may make or take room. */
export class Http2Session {
  readonly id: number;
  readonly #options: Http2SessionOptions;
  readonly #onChange: () => void;
  readonly #session: ClientHttp2Session;
  readonly #closed = Promise.withResolvers<void>();
  readonly #connectTimer: NodeJS.Timeout;
  readonly #healthTimer: NodeJS.Timeout;
  readonly #openedAt = performance.now();
  #state: Http2SessionState = 'connecting';
  #failure = 'closed by the peer';
  readonly #carried = new Set<string>();
  #everOpen = false;
  #streams = 0;
  #lastUsedAt = performance.now();
  #lastHeardAt = performance.now();
  /** Of the peer's GOAWAY: streams above this one were not processed. */
  #lastStreamId = Number.POSITIVE_INFINITY;

  constructor(options: Http2SessionOptions, onChange: () => void) {
    sessionsMade += 1;
    this.id = sessionsMade;
    this.#options = options;
    this.#onChange = onChange;
    this.#session = connect(options.origin, {
      ...(options.ca === null ? {} : { ca: options.ca }),
      minVersion: 'TLSv1.2',
      settings: { enablePush: false },
    });
    this.#connectTimer = setTimeout(
      () => this.#destroy('ETIMEDOUT'),
      options.connectTimeoutMs,
    ).unref();
    const checkEveryMs = Math.min(options.pingAfterMs, options.idleTimeoutMs, options.maxAgeMs);
    this.#healthTimer = setInterval(() => this.#checkHealth(), checkEveryMs).unref();
    this.#listen();
  }

  get state(): Http2SessionState {
    return this.#state;
  }

  /** Whether the peer's SETTINGS ever came: a connection that ends before has failed to connect. */
  get everOpen(): boolean {
    return this.#everOpen;
  }

  get ageMs(): number {
    return performance.now() - this.#openedAt;
  }

  /** The system's or Node's code for what ended the connection. */
  get failure(): string {
    return this.#failure;
  }

  /** Whether a request of this connection carried this credential. */
  carried(authorization: string): boolean {
    return this.#carried.has(authorization);
  }

  /** How many requests could be put on a stream now, by the peer's limit and by our own. */
  get room(): number {
    if (this.#state !== 'open' || this.#session.closed) return 0;
    const announced = this.#session.remoteSettings.maxConcurrentStreams ?? this.#options.maxStreams;
    return Math.min(announced, this.#options.maxStreams) - this.#streams;
  }

  /** Puts the request on a stream. There must be room. Never rejects. */
  async exchange(request: Http2Request): Promise<SessionResult> {
    assert(this.room > 0, 'a request needs room on the connection');
    const authorization = this.#options.authorization();
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request({
        ':method': 'POST',
        ':path': request.path,
        authorization,
        ...request.headers,
        // Tells HPACK never to index the credential, as Apple advises and RFC 7541 section 7.1.3
        // wants.
        [sensitiveHeaders]: ['authorization'],
      });
    } catch (error) {
      return this.#notRequested(error);
    }
    this.#carried.add(authorization);
    this.#streams += 1;
    this.#lastUsedAt = performance.now();
    stream.once('close', () => {
      this.#streams -= 1;
      this.#onChange();
    });
    stream.end(request.body);
    return this.#judge(await followStream(stream, this.#options.answerTimeoutMs), authorization);
  }

  /** Takes no more requests and closes when the last answer is in. */
  drain(): void {
    if (this.#state === 'connecting') return this.#destroy('drained');
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#session.close();
    this.#onChange();
  }

  /** Drains, by force once the answer deadline of the youngest request has passed. */
  async close(): Promise<void> {
    this.drain();
    const force = setTimeout(() => this.#destroy('forced'), this.#options.answerTimeoutMs + 500);
    await this.#closed.promise;
    clearTimeout(force);
  }

  #listen(): void {
    const session = this.#session;
    session.once('connect', () => {
      if (session.alpnProtocol !== 'h2') this.#destroy('ERR_ALPN_NOT_H2');
    });
    session.on('remoteSettings', () => {
      if (this.#state === 'connecting') {
        clearTimeout(this.#connectTimer);
        this.#state = 'open';
        this.#everOpen = true;
      }
      this.#onChange();
    });
    session.on('goaway', (_code, lastStreamId) => {
      this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId);
      this.drain();
    });
    session.on('error', (error: Error) => {
      this.#failure = errorCode(error);
    });
    session.once('close', () => {
      clearTimeout(this.#connectTimer);
      clearInterval(this.#healthTimer);
      this.#state = 'closed';
      this.#closed.resolve();
      this.#onChange();
    });
  }

  #judge(end: StreamEnd, authorization: string): SessionResult {
    switch (end.kind) {
      case 'answer':
        this.#lastHeardAt = performance.now();
        return { ...end, connection: this.id, authorization };
      case 'timeout':
        // One slow answer says little; a connection that does not even answer a PING is dead.
        this.#ping();
        return { kind: 'no_answer', code: 'TIMEOUT' };
      case 'reset': {
        const unprocessed =
          end.streamId === null ||
          end.streamId > this.#lastStreamId ||
          end.errorCode === constants.NGHTTP2_REFUSED_STREAM;
        return unprocessed
          ? { kind: 'refused' }
          : { kind: 'no_answer', code: 'NETWORK_AFTER_SEND' };
      }
      default:
        return end satisfies never;
    }
  }

  #notRequested(error: unknown): SessionResult {
    assert(error instanceof Error);
    if (this.#session.destroyed || this.#session.closed) return { kind: 'refused' };
    return { kind: 'not_started', cause: 'invalid_request', detail: errorCode(error) };
  }

  #checkHealth(): void {
    const now = performance.now();
    const silentMs = now - this.#lastHeardAt;
    if (silentMs >= this.#options.pingAfterMs && this.#everOpen) this.#ping();
    if (this.#state !== 'open') return;
    const idle = this.#streams === 0 && now - this.#lastUsedAt >= this.#options.idleTimeoutMs;
    if (idle || this.ageMs >= this.#options.maxAgeMs) this.drain();
  }

  #ping(): void {
    if (this.#session.destroyed) return;
    const timer = setTimeout(
      () => this.#destroy('PING_TIMEOUT'),
      this.#options.pingTimeoutMs,
    ).unref();
    const sent = this.#session.ping((error) => {
      clearTimeout(timer);
      if (error === null) this.#lastHeardAt = performance.now();
    });
    // Node allows a few PINGs at once; one that is under way already asks the same question.
    if (!sent) clearTimeout(timer);
  }

  #destroy(failure: string): void {
    this.#failure = failure;
    this.#session.destroy();
  }
}
