import { Explanation } from '@homing/protocol';
import { Type } from 'typebox';
import type { FindAnswerReason } from '../../domain/answer-reason.ts';
import { explainNotification } from '../../monitor/explain.ts';
import type { Database } from '../../store/sql.ts';
import { findUser } from '../../store/users.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { NotificationPath, requireUserId } from '../parameters.ts';
import { deliveryHelp } from '../reason-help.ts';
import type { HttpServer } from '../server.ts';
import { requireNotification } from './notification-get.ts';

export interface NotificationExplainDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly findReason: FindAnswerReason;
}

const Query = Type.Object({ user_id: Type.String() }, { additionalProperties: false });

/** `GET /v1/notifications/{id}/explain?user_id=`: why this user got it, or did not. */
export function notificationExplain(
  server: HttpServer,
  deps: NotificationExplainDependencies,
): void {
  server.get(
    '/v1/notifications/:notification_id/explain',
    {
      schema: {
        params: NotificationPath,
        querystring: Query,
        response: { 200: Explanation },
        summary: 'Why a user got it, or did not',
        tags: ['notifications'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'notifications:read');
      const notification = await requireNotification(deps.db, app.ref, request.params);
      const userId = requireUserId(request.query.user_id, '/querystring/user_id');
      const user = await findUser(deps.db, app.ref, userId);
      if (user === null) throw notFound('user');
      const helpOf = deliveryHelp(request, deps.findReason);
      return explainNotification(deps.db, notification, user, helpOf);
    },
  );
}
