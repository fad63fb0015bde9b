import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Answer } from './answer.ts';
import type { Connection } from './connection.ts';

/** A request's body, cut off where it exceeds what the reader cares for. */
export interface ReceivedBody {
  readonly bytes: Buffer;
  /** The length of the whole body, which exceeds that of `bytes` when it was cut off. */
  readonly length: number;
}

/** One request and the ways to end it, the same for HTTP/2 and HTTP/1.1. */
export interface Exchange {
  readonly connection: Connection;
  readonly streamId: number | null;
  readonly method: string;
  /** With the query, if any. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names of headers that came more than once. */
  readonly repeatedHeaders: readonly string[];
  /** Null when the client gave up before the end. */
  readBody(limitBytes: number): Promise<ReceivedBody | null>;
  /** Does nothing if the client is gone. */
  answer(answer: Answer): void;
  /** Refuses the stream as not processed; HTTP/1.1 can only end the connection. */
  refuse(): void;
}

/** An exchange over an HTTP/2 stream. */
export function http2Exchange(
  connection: Connection,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): Exchange {
  return {
    connection,
    streamId: stream.id ?? null,
    method: String(headers[':method']),
    path: String(headers[':path']),
    headers,
    repeatedHeaders: repeatedNames(rawHeaders),
    readBody: (limitBytes) => readBody(stream, limitBytes),
    answer: (answer) => {
      if (stream.destroyed || stream.closed || stream.headersSent) return;
      const hasBody = answer.body !== '';
      const headers = { ':status': answer.status, ...wireHeaders(answer) };
      stream.respond(headers, { endStream: !hasBody });
      if (hasBody) stream.end(wireBody(answer));
    },
    refuse: () => {
      if (!stream.destroyed) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    },
  };
}

/** An exchange over HTTP/1.1. */
export function http1Exchange(
  connection: Connection,
  request: IncomingMessage,
  response: ServerResponse,
): Exchange {
  return {
    connection,
    streamId: null,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    repeatedHeaders: repeatedNames(request.rawHeaders),
    readBody: (limitBytes) => readBody(request, limitBytes),
    answer: (answer) => {
      if (response.destroyed) return;
      response.writeHead(answer.status, wireHeaders(answer));
      response.end(wireBody(answer));
    },
    refuse: () => connection.destroy(),
  };
}

function wireHeaders({ headers, encoding }: Answer): Readonly<Record<string, string>> {
  return encoding === undefined ? headers : { ...headers, 'content-encoding': encoding };
}

function wireBody({ body, encoding }: Answer): string | Buffer {
  return encoding === 'gzip' ? gzipSync(body) : body;
}

function repeatedNames(rawHeaders: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const repeated: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (seen.has(name)) repeated.push(name);
    seen.add(name);
  }
  return repeated;
}

/** Events and not iteration: a client that goes away must end the read, not throw through it. */
function readBody(source: Readable, limitBytes: number): Promise<ReceivedBody | null> {
  const { promise, resolve } = Promise.withResolvers<ReceivedBody | null>();
  const chunks: Buffer[] = [];
  let length = 0;
  source.on('data', (chunk: Buffer) => {
    if (length < limitBytes) chunks.push(chunk);
    length += chunk.length;
  });
  source.once('end', () => {
    resolve({ bytes: Buffer.concat(chunks).subarray(0, limitBytes), length });
  });
  source.once('aborted', () => resolve(null));
  source.once('close', () => resolve(null));
  return promise;
}
