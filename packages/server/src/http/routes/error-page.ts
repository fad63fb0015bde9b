import { ERROR_HELP, ERRORS, type ErrorCode } from '@homing/protocol';
import { Type } from 'typebox';
import { notFound } from '../api-error.ts';
import { html, htmlPage, prose, sendPage } from '../html.ts';
import type { HttpServer } from '../server.ts';

const Path = Type.Object({ code: Type.String() });

/** `GET /errors/{code}`: the page that the `type` of a problem document leads to. */
export function errorPage(server: HttpServer): void {
  server.get(
    '/errors/:code',
    {
      schema: { params: Path, summary: 'What an error means and what to do', tags: ['operations'] },
    },
    async (request, reply) => {
      const { code } = request.params;
      if (!isErrorCode(code)) throw notFound('error code');
      return sendPage(reply, renderErrorPage(code));
    },
  );
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

function renderErrorPage(code: ErrorCode): string {
  const { status, title } = ERRORS[code];
  const { meaning, remedy } = ERROR_HELP[code];
  const content = html`
    <p class="muted">HTTP ${status} · <code>${code}</code></p>
    <h1>${title}</h1>
    <h2>What it means</h2>
    <p>${prose(meaning)}</p>
    <h2>What to do</h2>
    <p>${prose(remedy)}</p>
    <p><a href="/docs">All operations</a></p>
  `;
  return htmlPage(`${title} (${code})`, content);
}
