import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface GoawayNotice {
  /** Goes into the debug data as `{"reason": ...}`; an empty one sends no debug data. */
  readonly reason: string;
  /** Streams above it count as not processed. Left out: the last stream that was opened. */
  readonly lastStreamId?: number;
  /** An HTTP/2 error code, RFC 9113 section 7. */
  readonly errorCode?: number;
}

/** One client connection, with the ways in which a provider can mistreat it. */
export class Connection {
  readonly id: number;
  readonly protocol: 'h2' | 'http/1.1';
  readonly #tcp: Socket;
  readonly #tls: TLSSocket;
  readonly #session: ServerHttp2Session | null;
  #openStreams = 0;
  #closesWhenIdle = false;
  #lastProcessed = 0;
  /** Of the GOAWAY that was sent: what is above it is never processed. */
  #lastStreamId = Infinity;

  constructor(id: number, tcp: Socket, tls: TLSSocket, session: ServerHttp2Session | null) {
    this.id = id;
    this.protocol = session === null ? 'http/1.1' : 'h2';
    this.#tcp = tcp;
    this.#tls = tls;
    this.#session = session;
  }

  /** Requests that have begun and are not finished. */
  get openStreams(): number {
    return this.#openStreams;
  }

  /** The TLS socket, for what it says about the client's certificate. */
  get tls(): TLSSocket {
    return this.#tls;
  }

  /** Announces another SETTINGS_MAX_CONCURRENT_STREAMS; HTTP/1.1 has no such thing. */
  setMaxConcurrentStreams(maxConcurrentStreams: number): void {
    if (this.#session?.destroyed === false) this.#session.settings({ maxConcurrentStreams });
  }

  /** Takes note that the request of this stream is being carried out. */
  processes(streamId: number | null): void {
    this.#lastProcessed = Math.max(this.#lastProcessed, streamId ?? 0);
  }

  /** Whether a GOAWAY left this stream out: its client sends the request again elsewhere. */
  leavesOut(streamId: number | null): boolean {
    return (streamId ?? 0) > this.#lastStreamId;
  }

  /**
   * Sends GOAWAY and closes the connection once its open streams are through. It covers whatever
   * has been processed, for a client repeats the rest. HTTP/1.1 knows no such notice, so there the
   * connection just ends. Node cannot express a last stream id of 0: it then names the last stream
   * that it has processed.
   */
  goaway({ reason, lastStreamId = Infinity, errorCode = 0 }: GoawayNotice): void {
    if (this.#session === null) {
      this.#tls.destroy();
      return;
    }
    if (this.#session.destroyed) return;
    const debugData = reason === '' ? undefined : Buffer.from(JSON.stringify({ reason }));
    const last = Math.max(lastStreamId, this.#lastProcessed);
    if (last > 0) this.#lastStreamId = last;
    // For Node, zero stands for the last stream that was opened.
    this.#session.goaway(errorCode, Number.isFinite(last) ? last : 0, debugData);
    this.#closesWhenIdle = true;
    this.#closeIfIdle();
  }

  /** Kills the TCP connection with RST: the client sees ECONNRESET and no goodbye. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  /** Ends the connection at once, without an answer to what is open. */
  destroy(): void {
    this.#session?.destroy();
    this.#tls.destroy();
  }

  /** Called when a request begins. */
  streamOpened(): void {
    this.#openStreams += 1;
  }

  /** Called when a request is finished, answered or not. */
  streamClosed(): void {
    this.#openStreams -= 1;
    this.#closeIfIdle();
  }

  /**
   * Closing makes Node send a GOAWAY of its own. In the same turn it would overtake the notice
   * that is still being written, with a higher last stream id, which clients must take for a
   * protocol error (RFC 9113 section 6.8).
   */
  #closeIfIdle(): void {
    if (!this.#closesWhenIdle || this.#openStreams > 0) return;
    setImmediate(() => this.#session?.close());
  }
}
