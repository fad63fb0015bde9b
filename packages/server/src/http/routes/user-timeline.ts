import { Timeline } from '@homing/protocol';
import { userTimeline } from '../../registry/timeline.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { UserPath } from '../parameters.ts';
import { requireUser } from '../require-user.ts';
import { renderTimeline } from '../render-timeline.ts';
import type { HttpServer } from '../server.ts';

export interface UserTimelineDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `GET /v1/users/{id}/timeline`: what happened on the user's devices while signed in there. */
export function userTimelineGet(server: HttpServer, deps: UserTimelineDependencies): void {
  server.get(
    '/v1/users/:user_id/timeline',
    {
      schema: {
        params: UserPath,
        response: { 200: Timeline },
        summary: "What happened on a user's devices",
        tags: ['users'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'users:read');
      const user = await requireUser(deps.db, app.ref, request.params);
      return renderTimeline(await userTimeline(deps.db, user.ref, user.id));
    },
  );
}
