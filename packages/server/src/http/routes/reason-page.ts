import { Type } from 'typebox';
import type { AnswerReason } from '../../domain/answer-reason.ts';
import { notFound } from '../api-error.ts';
import { html, htmlPage, prose, sendPage } from '../html.ts';
import type { HttpServer } from '../server.ts';

const Path = Type.Object({ source: Type.String(), status: Type.String(), code: Type.String() });

/** `GET /reasons/{source}/{status}/{code}`: what one answer of a provider means, for people. */
export function reasonPage(server: HttpServer, reasons: readonly AnswerReason[]): void {
  server.get(
    '/reasons/:source/:status/:code',
    {
      schema: {
        params: Path,
        summary: 'What an answer of a provider means and what to do',
        tags: ['operations'],
      },
    },
    async (request, reply) => {
      const { source, status, code } = request.params;
      const reason = reasons.find(
        (one) => one.source === source && one.status === status && one.code === code,
      );
      if (reason === undefined) throw notFound('reason');
      return sendPage(reply, renderReasonPage(reason));
    },
  );
}

/** What becomes of a push by each kind of outcome; docs/lifecycle.md has the whole table. */
const CONSEQUENCES: Readonly<Record<AnswerReason['kind'], string>> = {
  accepted: 'The provider has the push.',
  token_dead:
    'The delivery fails and the token is retired, unless its device has confirmed it since.',
  token_mismatch: 'The delivery fails and the token is put aside until its device confirms it.',
  payload: 'The delivery fails. Neither the token nor any other delivery is affected.',
  throttled: 'The push waits and is sent later.',
  transient: 'The push is sent again later.',
  auth: 'The push waits until the provider takes the credential again. No token is touched.',
  unclassified: 'The push is sent once more, and then fails. No token is touched.',
  unknown: 'The push is sent again, and counted as a possible duplicate.',
  not_started: 'The push is sent again at once.',
};

function renderReasonPage({ source, status, code, kind, meaning, fix }: AnswerReason): string {
  const answer = status === '-' ? 'No answer' : `Status ${status}`;
  const content = html`
    <p class="muted">${source} · ${answer} · <code>${kind}</code></p>
    <h1><code>${code}</code></h1>
    <h2>What it means</h2>
    <p>${prose(sentenceOf(meaning))}</p>
    <h2>What Homing does</h2>
    <p>${CONSEQUENCES[kind]}</p>
    <h2>What to do</h2>
    <p>${prose(fix)}</p>
    <p><a href="/docs">All operations</a></p>
  `;
  return htmlPage(`${code} (${source})`, content);
}

function sentenceOf(fragment: string): string {
  return `${fragment.charAt(0).toUpperCase()}${fragment.slice(1)}.`;
}
