import { User, UserInput } from '@homing/protocol';
import { changeUser } from '../../registry/change-user.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { requireUserId, UserPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';
import { renderUser } from './user-get.ts';

export interface UserPutDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
}

/** `PUT /v1/users/{id}`: attributes and preferences that the back end vouches for. */
export function userPut(server: HttpServer, deps: UserPutDependencies): void {
  server.put(
    '/v1/users/:user_id',
    { schema: { params: UserPath, body: UserInput, response: { 200: User }, tags: ['users'] } },
    async (request) => {
      const { app, hint } = await deps.authenticator.backEnd(request, 'users:write');
      const id = requireUserId(request.params.user_id, '/user_id');
      const actor = { app, hint, requestId: request.id };
      const now = deps.clock();
      const user = await changeUser(deps.db, actor, id, request.body, now);
      return renderUser(deps.db, app.ref, user, now);
    },
  );
}
