import { removeInstallation } from '../../registry/remove-installation.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { NoContent, InstallationPath, parseInstallationId } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationDeleteDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `DELETE /v1/installations/{id}`: the app is gone from the device. Never rate-limited. */
export function installationDelete(server: HttpServer, deps: InstallationDeleteDependencies): void {
  server.delete(
    '/v1/installations/:installation_id',
    {
      schema: {
        params: InstallationPath,
        response: { 204: NoContent },
        summary: 'Remove an installation: the app is gone from the device',
        tags: ['installations'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.installation(request, 'installations:write');
      const id = parseInstallationId(request.params.installation_id);
      const result = await removeInstallation(deps.db, context, id);
      // Removing twice has one effect and one answer.
      if (result.kind !== 'removed_now' && result.kind !== 'removed') {
        throw refusalError(result.kind);
      }
      return reply.code(204).send(null);
    },
  );
}
