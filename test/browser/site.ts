import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** A request as a route of a site sees it. */
export interface SiteRequest {
  readonly query: URLSearchParams;
  readonly cookie: string | null;
  readonly body: string;
}

export interface SiteAnswer {
  /** Default 200. */
  readonly status?: number;
  /** Default `text/plain`. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type SiteRoute = (request: SiteRequest) => SiteAnswer | Promise<SiteAnswer>;

/** By method and path, as in `GET /worker.js`; `GET *` is every page that has no route. */
export type SiteRoutes = Readonly<Record<string, SiteRoute>>;

/** A web server on `localhost`, where browsers allow workers without TLS. */
export interface Site extends AsyncDisposable {
  /** `http://localhost:PORT`: of its own, so that no other site's worker or storage is in reach. */
  readonly origin: string;
}

export async function startSite(routes: SiteRoutes): Promise<Site> {
  const server = createServer((request, response) => void serve(routes, request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  return {
    origin: `http://localhost:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  routes: SiteRoutes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const route = routes[`${method} ${pathname}`] ?? routes[`${method} *`];
  const asked = { query: searchParams, cookie: headers.cookie ?? null, body: await text(request) };
  const answer = route === undefined ? { status: 404 } : await route(asked);
  response.writeHead(answer.status ?? 200, {
    'content-type': `${answer.type ?? 'text/plain'}; charset=utf-8`,
    'cache-control': 'no-store',
    ...answer.headers,
  });
  response.end(answer.body);
}

/** A route that always says the same. */
export function always(type: string, body: string): SiteRoute {
  return () => ({ type, body });
}
