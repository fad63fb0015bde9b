import assert from 'node:assert';
import { Installation } from '@homing/protocol';
import { describeInstallations } from '../../registry/describe-installation.ts';
import { refuseAccess } from '../../registry/access-check.ts';
import { findInstallation } from '../../store/installations.ts';
import type { Database } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { InstallationPath, parseInstallationId } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import { renderInstallation } from '../render-installation.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationGetDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `GET /v1/installations/{id}`: a client's self-check, or anything for a back end. */
export function installationGet(server: HttpServer, deps: InstallationGetDependencies): void {
  server.get(
    '/v1/installations/:installation_id',
    {
      schema: {
        params: InstallationPath,
        response: { 200: Installation },
        summary: 'What the registry holds for an installation',
        tags: ['installations'],
      },
    },
    async (request) => {
      const context = await deps.authenticator.installation(request, 'installations:read');
      const id = parseInstallationId(request.params.installation_id);
      const installation = await findInstallation(deps.db, context.app.ref, id);
      const refusal = refuseAccess(installation, context.caller);
      if (refusal === 'removed' && context.caller.kind === 'client') throw refusalError(refusal);
      if (refusal !== null && refusal !== 'removed') throw refusalError(refusal);
      if (installation === null) throw notFound('installation');
      const reader = context.caller.kind === 'client' ? 'client' : 'back_end';
      const [description] = await describeInstallations(deps.db, [installation]);
      assert(description !== undefined);
      return renderInstallation(description, {
        reader,
        accountMode: context.app.accountMode,
        now: context.now,
      });
    },
  );
}
