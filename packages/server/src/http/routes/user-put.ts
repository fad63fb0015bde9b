import { User, UserInput } from '@homing/protocol';
import { changeUser } from '../../registry/change-user.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { requireUserId, UserPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';
import { renderUser } from './user-get.ts';

export interface UserPutDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `PUT /v1/users/{id}`: attributes and preferences that the back end vouches for. */
export function userPut(server: HttpServer, deps: UserPutDependencies): void {
  server.put(
    '/v1/users/:user_id',
    {
      schema: {
        params: UserPath,
        body: UserInput,
        response: { 200: User },
        summary: 'Attributes and preferences that the back end vouches for',
        tags: ['users'],
      },
    },
    async (request) => {
      const context = await deps.authenticator.backEndWriter(request, 'users:write');
      const id = requireUserId(request.params.user_id, '/user_id');
      const user = await changeUser(deps.db, context, id, request.body);
      return renderUser(deps.db, context.app, user, context.now);
    },
  );
}
