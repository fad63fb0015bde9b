import { Pool } from 'undici';
import type { Http2Request, Http2RequestOptions, Http2Result } from '@homing/h2';
import type { guardedConnector } from '../../outbound/guarded-connector.ts';
import { Http1Exchange } from './http1-exchange.ts';

export interface Http1PoolOptions {
  readonly origin: string;
  readonly connect: ReturnType<typeof guardedConnector>;
  readonly authorization: () => string;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
  readonly answerTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * Keep-alive connections to one origin that does not speak HTTP/2, behind the same words as the
 * pool that does: every request has one result, and what was not handed to a socket is known to be.
 * Each connection carries one request at a time; the others wait in the library's line, where each
 * exchange has its own clock.
 */
export class Http1Pool implements AsyncDisposable {
  readonly #options: Http1PoolOptions;
  readonly #pool: Pool;
  readonly #exchanges = new Set<Http1Exchange>();

  constructor(options: Http1PoolOptions) {
    this.#options = options;
    this.#pool = new Pool(options.origin, {
      connect: options.connect,
      connections: options.maxConnections,
      pipelining: 1,
      keepAliveTimeout: options.idleTimeoutMs,
      // Our own timers are finer, and know whether the request was written.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Sends once. Never rejects; a redirect is an answer like any other. */
  request(request: Http2Request, options: Http2RequestOptions): Promise<Http2Result> {
    const { answerTimeoutMs, maxBodyBytes } = this.#options;
    const authorization = this.#options.authorization();
    const own = { answerTimeoutMs, maxBodyBytes, authorization };
    const exchange = new Http1Exchange({ ...own, ...options });
    if (exchange.isWaiting) this.#dispatch(request, authorization, exchange);
    this.#exchanges.add(exchange);
    return exchange.result.finally(() => this.#exchanges.delete(exchange));
  }

  /** Gives back what waits, and awaits what is under way, up to its deadline. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const exchange of this.#exchanges) exchange.close();
    await this.#pool.close();
  }

  #dispatch(request: Http2Request, authorization: string, exchange: Http1Exchange): void {
    const { shape, path, values, body } = request;
    const varying = shape.varying.map((name, index) => [name, values[index] ?? ''] as const);
    const headers = { ...Object.fromEntries([...shape.constants, ...varying]), authorization };
    try {
      this.#pool.dispatch({ method: 'POST', path, headers, body }, exchange);
    } catch (error) {
      exchange.fail(error);
    }
  }
}
