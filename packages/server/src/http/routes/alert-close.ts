import { ClosedAlert } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import { parseTypedId } from '../../domain/typed-id.ts';
import { closeAlert } from '../../monitor/close-alert.ts';
import { findAlert } from '../../store/alerts.ts';
import type { Database } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { AlertPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

export interface AlertCloseDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
}

/** `POST /v1/alerts/{id}/close`: somebody has seen to it; closing a freeze lifts it. */
export function alertClose(server: HttpServer, deps: AlertCloseDependencies): void {
  server.post(
    '/v1/alerts/:alert_id/close',
    {
      schema: {
        params: AlertPath,
        response: { 200: ClosedAlert },
        summary: 'Close an alert; closing a freeze lifts it',
        tags: ['alerts'],
      },
    },
    async (request, reply) => {
      const { app, hint } = await deps.authenticator.backEnd(request, 'alerts:write');
      const { alert_id: typedId } = request.params;
      const id = parseTypedId('alr', typedId);
      const alert = id === null ? null : await findAlert(deps.db, app.ref, id);
      if (alert === null) throw notFound('alert');
      const closer = { appRef: app.ref, keyHint: hint, requestId: request.id };
      return replyOnce(deps.db, app.ref, request, reply, async (tx) => {
        const closed = await closeAlert(tx, closer, alert, deps.clock());
        return { status: 200, body: { id: typedId, closed } };
      });
    },
  );
}
