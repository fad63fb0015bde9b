import type { HttpServer } from './server.ts';

const ALLOWED_HEADERS = 'Authorization, Homing-Installation-Secret, Idempotency-Key, Content-Type';
const EXPOSED_HEADERS = 'Homing-Seq, X-Request-Id, Retry-After, Idempotent-Replayed';
const MAX_AGE_SECONDS = 86_400;

/** The routes that browsers call: those of an installation, and what comes before there is one. */
const CLIENT_ROUTES = ['/v1/installations/*', '/v1/app/vapid-key'];

function isClientRoute(url: string): boolean {
  return CLIENT_ROUTES.some((route) => url.startsWith(route.replace('*', '')));
}

/**
 * Lets web pages call the client routes (Fetch standard, CORS protocol). A preflight carries no
 * key, so it is answered for every origin; whether an origin may act is decided with the key in
 * hand (authenticate.ts). No cookie is ever involved.
 */
export function allowOrigins(server: HttpServer): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin !== undefined && isClientRoute(request.url)) {
      void reply.headers({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Expose-Headers': EXPOSED_HEADERS,
        Vary: 'Origin',
      });
    }
    done();
  });
  for (const route of CLIENT_ROUTES) {
    server.options(route, async (_request, reply) =>
      reply
        .code(204)
        .headers({
          'Access-Control-Allow-Methods': 'GET, PUT, POST, DELETE',
          'Access-Control-Allow-Headers': ALLOWED_HEADERS,
          'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
        })
        .send(),
    );
  }
}
