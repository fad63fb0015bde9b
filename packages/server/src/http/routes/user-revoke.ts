import { RevokeAnswer, RevokeInput } from '@homing/protocol';
import { revokeUser } from '../../registry/revoke-user.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { parseInstallationId, requireUserId, UserPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

export interface UserRevokeDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `POST /v1/users/{id}/revoke`: signs out everywhere, or on the named installations. */
export function userRevoke(server: HttpServer, deps: UserRevokeDependencies): void {
  server.post(
    '/v1/users/:user_id/revoke',
    {
      schema: {
        params: UserPath,
        body: RevokeInput,
        response: { 200: RevokeAnswer },
        summary: 'Sign a user out, everywhere or on named installations',
        tags: ['users'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.backEndWriter(request, 'users:write');
      const id = requireUserId(request.params.user_id, '/user_id');
      const named =
        request.body.installations?.map((text, index) =>
          parseInstallationId(text, `/installations/${index}`),
        ) ?? null;
      return replyOnce(deps.db, context.app.ref, request, reply, async (tx) => {
        const signedOut = await revokeUser(tx, context, id, named);
        return { status: 200, body: { signed_out: signedOut } };
      });
    },
  );
}
