import { NotificationStanding } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import { pauseSending, type PauseWish } from '../../sending/pause-notification.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { NotificationPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';
import { requireNotification, statusOf } from './notification-get.ts';

export interface NotificationPauseDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Tells workers, after the commit, that there is work. */
  readonly announceWork: () => void;
}

const SUMMARIES: Readonly<Record<PauseWish, string>> = {
  pause: 'Let it stand still; what is under way is awaited',
  resume: 'Let it go on',
};

/** `POST /v1/notifications/{id}/pause` and `/resume`; either may be repeated. */
export function notificationPause(server: HttpServer, deps: NotificationPauseDependencies): void {
  for (const wish of ['pause', 'resume'] as const) addRoute(server, deps, wish);
}

function addRoute(
  server: HttpServer,
  { db, clock, authenticator, announceWork }: NotificationPauseDependencies,
  wish: PauseWish,
): void {
  server.post(
    `/v1/notifications/:notification_id/${wish}`,
    {
      schema: {
        params: NotificationPath,
        response: { 200: NotificationStanding },
        summary: SUMMARIES[wish],
        tags: ['notifications'],
      },
    },
    async (request, reply) => {
      const { app, hint } = await authenticator.backEnd(request, 'notifications:write');
      const sender = { app, keyHint: hint, requestId: request.id };
      const id = request.params.notification_id;
      const notification = await requireNotification(db, app.ref, request.params);
      const answer = await replyOnce(db, app.ref, request, reply, async (tx) => {
        await pauseSending(tx, sender, notification, wish, clock());
        const after = await requireNotification(tx, app.ref, request.params);
        return { status: 200, body: { id, status: statusOf(after) } };
      });
      announceWork();
      return answer;
    },
  );
}
