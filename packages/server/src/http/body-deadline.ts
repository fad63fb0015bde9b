import { LIMITS } from '../domain/limits.ts';
import type { HttpServer } from './server.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a file that may take its time. */
    readonly isUpload?: boolean;
  }
}

/**
 * Ends connections that have not sent the body of a request in time. Node knows one deadline for
 * all requests, and that has to be the one of uploads.
 */
export function limitBodies(server: HttpServer): void {
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const { headers } = request.raw;
    const hasBody =
      headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
    if (hasBody && request.routeOptions.config.isUpload !== true) {
      const timer = setTimeout(() => request.raw.destroy(), LIMITS.bodyMs).unref();
      payload.once('close', () => clearTimeout(timer));
    }
    done(null, payload);
  });
}
