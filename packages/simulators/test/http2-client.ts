import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import type {
  ClientHttp2Session,
  ClientSessionOptions,
  OutgoingHttpHeaders,
  SecureClientSessionOptions,
} from 'node:http2';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export interface Goaway {
  readonly errorCode: number;
  readonly lastStreamId: number;
  readonly reason: string | null;
}

/** What went wrong with a request that got no answer; `rstCode` 7 is REFUSED_STREAM. */
export class NoAnswer extends Error {
  readonly rstCode: number | undefined;

  constructor(message: string, rstCode: number | undefined) {
    super(message);
    this.rstCode = rstCode;
  }
}

const DEADLINE_MS = 5000;

/** A bare client on node:http2 that shows what other clients hide. */
export class Http2Client implements AsyncDisposable {
  readonly session: ClientHttp2Session;
  readonly streamLimits: number[] = [];
  readonly goaways: Goaway[] = [];
  readonly errors: Error[] = [];

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', (error) => this.errors.push(error));
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.streamLimits.push(maxConcurrentStreams ?? Infinity);
    });
    session.on('goaway', (errorCode, lastStreamId, data) => {
      this.goaways.push({ errorCode, lastStreamId, reason: reasonOf(data) });
    });
  }

  /** Connects and waits for the server's first SETTINGS. */
  static async open(
    url: string,
    options: ClientSessionOptions & SecureClientSessionOptions,
  ): Promise<Http2Client> {
    const client = new Http2Client(connect(url, options));
    await client.nextSettings();
    return client;
  }

  nextSettings(): Promise<unknown> {
    return once(this.session, 'remoteSettings', { signal: AbortSignal.timeout(DEADLINE_MS) });
  }

  async closed(): Promise<void> {
    if (this.session.destroyed) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Not events.once: an error on the way to the end is recorded above, and is no failure here.
    const deadline = setTimeout(() => reject(new Error('Still open.')), DEADLINE_MS);
    this.session.once('close', resolve);
    await promise;
    clearTimeout(deadline);
  }

  /** Sends a request; rejects with NoAnswer when the stream ends without a response. */
  async send(headers: OutgoingHttpHeaders, body: string | Buffer): Promise<Reply> {
    const stream = this.session.request(headers);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const chunks: Buffer[] = [];
    let received: Readonly<Record<string, unknown>> | null = null;
    stream.on('response', (response) => {
      received = { ...response };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (error) => reject(new NoAnswer(error.message, stream.rstCode)));
    stream.on('close', () => {
      if (received === null) reject(new NoAnswer('The stream closed unanswered.', stream.rstCode));
      else {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: Number(received[':status']), headers: received, text });
      }
    });
    stream.end(body);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.closed();
    this.session.destroy();
    await closed;
  }
}

/** The parsed body of an answer. */
export function jsonOf(reply: Reply): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(reply.text);
  assert(typeof value === 'object' && value !== null);
  return { ...value };
}

/** The error of a request that is expected to get no answer. */
export async function refused(attempt: Promise<unknown>): Promise<NoAnswer> {
  try {
    await attempt;
  } catch (error) {
    assert(error instanceof NoAnswer);
    return error;
  }
  throw new Error('The request was answered.');
}

function reasonOf(data: unknown): string | null {
  if (!Buffer.isBuffer(data) || data.length === 0) return null;
  const { reason } = JSON.parse(data.toString('utf8')) as { reason: string };
  return reason;
}
