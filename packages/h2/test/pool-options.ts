import { RequestShape, type Http2Pool, type Http2PoolOptions, type Http2Result } from '@homing/h2';
import { PEER_CA } from './raw-peer.ts';

/** Options under which nothing happens by the clock while a test runs. */
export function poolOptions(
  origin: string,
  options: Partial<Http2PoolOptions> = {},
): Http2PoolOptions {
  return {
    origin,
    ca: PEER_CA,
    authorization: () => 'bearer x',
    maxConnections: 1,
    maxStreams: 100,
    maxBodyBytes: 64 * 1024,
    maxIdlePings: 2,
    maxTimeouts: 100,
    connectTimeoutMs: 20_000,
    answerTimeoutMs: 20_000,
    pingAfterMs: 60_000,
    pingTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    maxAgeMs: 60_000,
    ...options,
  };
}

const NOTED = new RequestShape({
  constants: { 'apns-topic': 'com.acme.shop' },
  varying: ['x-note'],
});

export interface Post {
  readonly path?: string;
  readonly note?: string;
  readonly body?: string | Buffer;
  readonly startBefore?: number;
  readonly signal?: AbortSignal;
  readonly answerTimeoutMs?: number;
}

/** A request with a constant field, a varying one and, unless told otherwise, a small body. */
export function post(pool: Http2Pool, request: Post = {}): Promise<Http2Result> {
  const { path = '/', note = '', body = '{}', answerTimeoutMs } = request;
  const { startBefore = performance.now() + 20_000, signal = new AbortController().signal } =
    request;
  return pool.request(
    { shape: NOTED, path, values: [note], body: Buffer.from(body) },
    { startBefore, signal, ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }) },
  );
}

/** So many requests at once, each with its number as a note. */
export function postMany(
  pool: Http2Pool,
  count: number,
  request: Post = {},
): readonly Promise<Http2Result>[] {
  return Array.from({ length: count }, (_, index) =>
    post(pool, { note: String(index), ...request }),
  );
}

/** What became of a request, in the words that a test compares: `200 ok`, `refused`, `TIMEOUT`. */
export function inShort(result: Http2Result): string {
  if (result.kind === 'answer') return `${result.status} ${result.body}`.trim();
  return result.kind === 'not_started' ? result.cause : result.code;
}
