import { detachUser } from '../../registry/detach-user.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { NoContent, InstallationPath, parseInstallationId, SeqQuery } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationUserDeleteDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `DELETE /v1/installations/{id}/user`: logout. Always works, never rate-limited (rule R5). */
export function installationUserDelete(
  server: HttpServer,
  deps: InstallationUserDeleteDependencies,
): void {
  server.delete(
    '/v1/installations/:installation_id/user',
    {
      schema: {
        params: InstallationPath,
        querystring: SeqQuery,
        response: { 204: NoContent },
        summary: 'Sign out whoever is signed in; always works',
        tags: ['installations'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.installation(request, 'installations:write');
      const id = parseInstallationId(request.params.installation_id);
      const seq = context.caller.kind === 'client' ? (request.query.seq ?? null) : null;
      const result = await detachUser(deps.db, context, id, { seq, only: null });
      if (result.kind !== 'detached') throw refusalError(result.kind);
      if (result.seq !== null) void reply.header('Homing-Seq', result.seq);
      return reply.code(204).send(null);
    },
  );
}
