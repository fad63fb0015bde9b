import type { ApiDocument } from '../api-document.ts';
import { sendPage } from '../html.ts';
import { renderDocs } from '../render-docs.ts';
import type { HttpServer } from '../server.ts';

/**
 * `GET /docs`: the contract to read in a browser. Needs the routes to be documented (openapi.ts).
 */
export function docsPage(server: HttpServer): void {
  let page: string | null = null;
  server.get(
    '/docs',
    { schema: { summary: 'This contract, for people', tags: ['operations'] } },
    async (_request, reply) => {
      // The routes are final once the server listens, so the page is rendered once.
      page ??= renderDocs(server.swagger() as unknown as ApiDocument);
      return sendPage(reply, page);
    },
  );
}
