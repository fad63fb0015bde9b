import { UserExport } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import { exportUser } from '../../registry/export-user.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { UserPath } from '../parameters.ts';
import { requireUser } from '../require-user.ts';
import { renderExport } from '../render-export.ts';
import type { HttpServer } from '../server.ts';
import { renderUser } from './user-get.ts';

export interface UserExportDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
}

/** `GET /v1/users/{id}/export`: everything that is held about the user. */
export function userExport(server: HttpServer, deps: UserExportDependencies): void {
  server.get(
    '/v1/users/:user_id/export',
    {
      schema: {
        params: UserPath,
        response: { 200: UserExport },
        summary: 'Everything that is held about a user',
        tags: ['users'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'users:read');
      const user = await requireUser(deps.db, app.ref, request.params);
      const now = deps.clock();
      const rendered = await renderUser(deps.db, app, user, now);
      return renderExport(rendered, await exportUser(deps.db, user), now);
    },
  );
}
