import { eraseUserRecord } from '../../registry/revoke-user.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { NoContent, requireUserId, UserPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

export interface UserDeleteDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly erasureKey: Buffer;
}

/** `DELETE /v1/users/{id}`: erases the user; never rate-limited, idempotent. */
export function userDelete(server: HttpServer, deps: UserDeleteDependencies): void {
  server.delete(
    '/v1/users/:user_id',
    {
      schema: {
        params: UserPath,
        response: { 204: NoContent },
        summary: 'Erase a user',
        tags: ['users'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.backEndWriter(request, 'users:write');
      const id = requireUserId(request.params.user_id, '/user_id');
      await eraseUserRecord(deps.db, context, id, deps.erasureKey);
      return reply.code(204).send(null);
    },
  );
}
