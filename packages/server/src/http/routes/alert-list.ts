import { Alert, Page } from '@homing/protocol';
import { Type } from 'typebox';
import { LIMITS } from '../../domain/limits.ts';
import type { FindAnswerReason } from '../../domain/answer-reason.ts';
import { listAlerts } from '../../store/alerts.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { parseCursor } from '../parameters.ts';
import { alertHelp } from '../reason-help.ts';
import { renderAlert } from '../render-alert.ts';
import type { HttpServer } from '../server.ts';

export interface AlertListDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly findReason: FindAnswerReason;
}

const Query = Type.Object(
  {
    open: Type.Optional(Type.Enum(['true', 'false'])),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.pageMax })),
    after: Type.Optional(Type.String({ maxLength: 32 })),
  },
  { additionalProperties: false },
);
const Answer = Type.Object({ data: Type.Array(Alert), page: Page });

/** `GET /v1/alerts`: what a person should look at, newest first. */
export function alertList(server: HttpServer, deps: AlertListDependencies): void {
  server.get(
    '/v1/alerts',
    {
      schema: {
        querystring: Query,
        response: { 200: Answer },
        summary: 'What a person should look at, newest first',
        tags: ['alerts'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'alerts:read');
      const { after, limit = LIMITS.pageDefault } = request.query;
      const open = request.query.open === undefined ? null : request.query.open === 'true';
      const before = after === undefined ? null : parseCursor(after);
      const found = await listAlerts(deps.db, app.ref, { open, before, limit });
      const helpOf = alertHelp(request, deps.findReason);
      const last = found.length === limit ? (found.at(-1)?.ref ?? null) : null;
      return {
        data: found.map((alert) => renderAlert(alert, helpOf(alert))),
        page: { after: last === null ? null : String(last), limit },
      };
    },
  );
}
