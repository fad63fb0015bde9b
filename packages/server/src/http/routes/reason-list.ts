import { Reason } from '@homing/protocol';
import { Type } from 'typebox';
import type { AnswerReason } from '../../domain/answer-reason.ts';
import { reasonUrl } from '../reason-help.ts';
import type { HttpServer } from '../server.ts';

const Query = Type.Object(
  { provider: Type.Optional(Type.String({ maxLength: 64 })) },
  { additionalProperties: false },
);
const Answer = Type.Object({ data: Type.Array(Reason) });

/**
 * `GET /v1/reasons`: every answer that providers are known to give. Like the documentation it says
 * nothing of any app, so no key is needed.
 */
export function reasonList(server: HttpServer, reasons: readonly AnswerReason[]): void {
  server.get(
    '/v1/reasons',
    {
      schema: {
        querystring: Query,
        response: { 200: Answer },
        summary: 'What the answers of providers mean and what to do about them',
        tags: ['reasons'],
      },
    },
    async (request) => {
      const { provider } = request.query;
      const shown = reasons.filter(
        (reason) =>
          provider === undefined || provider === reason.provider || provider === reason.source,
      );
      return { data: shown.map((reason) => ({ ...reason, url: reasonUrl(request, reason) })) };
    },
  );
}
