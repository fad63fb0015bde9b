import { Cancellation } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import { cancelSending } from '../../sending/cancel-notification.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { NotificationPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';
import { requireNotification } from './notification-get.ts';

export interface NotificationCancelDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Tells workers, after the commit, that there is work. */
  readonly announceWork: () => void;
}

/**
 * `POST /v1/notifications/{id}/cancel`: what has not started is skipped; what has is not recalled.
 */
export function notificationCancel(server: HttpServer, deps: NotificationCancelDependencies): void {
  server.post(
    '/v1/notifications/:notification_id/cancel',
    {
      schema: {
        params: NotificationPath,
        response: { 200: Cancellation },
        summary: 'Skip what has not started',
        tags: ['notifications'],
      },
    },
    async (request, reply) => {
      const { app, hint } = await deps.authenticator.backEnd(request, 'notifications:write');
      const sender = { app, keyHint: hint, requestId: request.id };
      const notification = await requireNotification(deps.db, app.ref, request.params);
      const answer = await replyOnce(deps.db, app.ref, request, reply, async (tx) => {
        const cancelled = await cancelSending(tx, sender, notification, deps.clock());
        return { status: 200, body: { id: request.params.notification_id, cancelled } };
      });
      deps.announceWork();
      return answer;
    },
  );
}
