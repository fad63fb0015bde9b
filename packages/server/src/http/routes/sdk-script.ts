import { sha256 } from '../../domain/sha256.ts';
import type { HttpServer } from '../server.ts';

/** What pages and workers load, by the name of the file. */
export type Scripts = ReadonlyMap<string, Buffer>;

/** A new version reaches a page within the hour; service workers look once a day by themselves. */
const MAX_AGE_SECONDS = 3_600;

/**
 * `GET /sdk/{name}`: the client for sites without a build. Public, and the same for everybody, so
 * any origin may load it, with or without `crossorigin`.
 */
export function sdkScripts(server: HttpServer, scripts: Scripts): void {
  for (const [name, text] of scripts) {
    const headers = {
      'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'X-Content-Type-Options': 'nosniff',
      ETag: `"${sha256(text).toString('base64url')}"`,
    };
    const schema = { summary: `The client for web pages: ${name}`, tags: ['operations'] };
    server.get(`/sdk/${name}`, { schema }, async (request, reply) => {
      reply.headers(headers).type('text/javascript; charset=utf-8');
      if (request.headers['if-none-match'] === headers.ETag) return reply.code(304).send();
      return reply.send(text);
    });
  }
}
