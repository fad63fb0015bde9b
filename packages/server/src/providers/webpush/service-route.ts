import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import {
  Http2Pool,
  type Http2Request,
  type Http2RequestOptions,
  type Http2Result,
} from '@homing/h2';
import { LIMITS } from '../../domain/limits.ts';
import { hostAndPort, type AllowedHosts } from '../../domain/outbound-url.ts';
import { guardedConnector } from '../../outbound/guarded-connector.ts';
import { publicLookup, type Resolve } from '../../outbound/public-lookup.ts';
import { Http1Pool } from './http1-pool.ts';

export interface ServiceRouteOptions {
  readonly origin: string;
  /** Hosts that need not be public. */
  readonly ownHosts: AllowedHosts;
  /** PEM certificates to trust for these instead of the system's; null for the system's. */
  readonly ca: string | null;
  readonly resolve: Resolve;
  readonly authorization: () => string;
  readonly answerTimeoutMs: number;
  /** Default: an hour, as long as a connection lives. */
  readonly maxAgeMs?: number;
}

/** Of HTTP/2, each of which carries a hundred requests and more at once. */
const MAX_CONNECTIONS = 2;
const MAX_STREAMS = 100;
/** Of HTTP/1.1, each of which carries one. */
const MAX_HTTP1_CONNECTIONS = 32;

/** An answer has a few hundred bytes; whoever sends more is not to fill our memory. */
const MAX_BODY_BYTES = 64 * 1024;
const MINUTE_MS = 60_000;
/** Nobody pays for a connection of which nobody knows when it is needed again. */
const IDLE_MS = 3 * MINUTE_MS;

/** A connection that is older is replaced, and a service that did not speak HTTP/2 may do so. */
const MAX_AGE_MS = 60 * MINUTE_MS;

/** How TLS says that the other side does not speak HTTP/2 (RFC 7301 section 3.2). */
const WITHOUT_HTTP2: ReadonlySet<string> = new Set([
  'ERR_ALPN_NOT_H2',
  'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
]);

/**
 * The way to one push service: over HTTP/2 where it speaks that, else over HTTP/1.1. It goes to
 * public addresses only, unless the operator has named the host: a name is resolved for each
 * connection, every address is checked, and the connection goes to one of these.
 */
export class ServiceRoute implements AsyncDisposable {
  readonly #options: ServiceRouteOptions;
  readonly #http2: Http2Pool;
  #http1: Http1Pool | null = null;
  /** Until then, on the scale of `performance.now()`, nobody asks whether it speaks HTTP/2. */
  #http1Until = Number.NEGATIVE_INFINITY;

  constructor(options: ServiceRouteOptions) {
    this.#options = options;
    const { origin, authorization, answerTimeoutMs } = options;
    const { hostname, port } = new URL(origin);
    const isOwn = options.ownHosts.has(hostAndPort(hostname, port));
    const isName = isIP(hostname) === 0 && !hostname.startsWith('[');
    assert(isOwn || isName, 'what is not looked up is not checked');
    this.#http2 = new Http2Pool({
      origin,
      ca: isOwn ? options.ca : null,
      ...(isOwn ? {} : { lookup: publicLookup(options.resolve) }),
      authorization,
      answerTimeoutMs,
      maxConnections: MAX_CONNECTIONS,
      maxStreams: MAX_STREAMS,
      maxBodyBytes: MAX_BODY_BYTES,
      maxTimeouts: 8,
      connectTimeoutMs: LIMITS.outboundMs,
      pingAfterMs: MINUTE_MS,
      pingTimeoutMs: 10_000,
      maxIdlePings: 2,
      idleTimeoutMs: IDLE_MS,
      maxAgeMs: options.maxAgeMs ?? MAX_AGE_MS,
    });
  }

  /** Sends once, over whatever the other side speaks; never rejects, never follows a redirect. */
  async request(request: Http2Request, options: Http2RequestOptions): Promise<Http2Result> {
    if (this.#http1 !== null && performance.now() < this.#http1Until) {
      return this.#http1.request(request, options);
    }
    const result = await this.#http2.request(request, options);
    if (!isWithoutHttp2(result)) return result;
    this.#http1 ??= this.#openHttp1();
    this.#http1Until = performance.now() + (this.#options.maxAgeMs ?? MAX_AGE_MS);
    return this.#http1.request(request, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#http2[Symbol.asyncDispose](), this.#http1?.[Symbol.asyncDispose]()]);
  }

  #openHttp1(): Http1Pool {
    const {
      origin,
      ownHosts: allowed,
      ca,
      resolve,
      authorization,
      answerTimeoutMs,
    } = this.#options;
    return new Http1Pool({
      origin,
      connect: guardedConnector({ allowed, resolve, ca }),
      authorization,
      answerTimeoutMs,
      maxConnections: MAX_HTTP1_CONNECTIONS,
      maxBodyBytes: MAX_BODY_BYTES,
      idleTimeoutMs: IDLE_MS,
    });
  }
}

function isWithoutHttp2(result: Http2Result): boolean {
  return (
    result.kind === 'not_started' &&
    result.cause === 'connect_failed' &&
    WITHOUT_HTTP2.has(result.detail)
  );
}
