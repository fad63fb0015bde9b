import { Timeline } from '@homing/protocol';
import { installationTimeline } from '../../registry/timeline.ts';
import { findInstallation } from '../../store/installations.ts';
import type { Database } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { InstallationPath, parseInstallationId } from '../parameters.ts';
import { renderTimeline } from '../render-timeline.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationTimelineDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `GET /v1/installations/{id}/timeline`: all that happened to a device, in order, in sentences. */
export function installationTimelineGet(
  server: HttpServer,
  deps: InstallationTimelineDependencies,
): void {
  server.get(
    '/v1/installations/:installation_id/timeline',
    {
      schema: {
        params: InstallationPath,
        response: { 200: Timeline },
        summary: 'All that happened to a device, in sentences',
        tags: ['installations'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'installations:read');
      const id = parseInstallationId(request.params.installation_id);
      const installation = await findInstallation(deps.db, app.ref, id);
      if (installation === null) throw notFound('installation');
      return renderTimeline(await installationTimeline(deps.db, installation));
    },
  );
}
