import { AppAnswer } from '@homing/protocol';
import { requireApp } from '../../store/apps.ts';
import type { Queryable } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { renderApp } from '../render-app.ts';
import type { HttpServer } from '../server.ts';

export interface AppGetDependencies {
  readonly db: Queryable;
  readonly authenticator: Authenticator;
}

/** `GET /v1/app`: the app that the key belongs to. */
export function appGet(server: HttpServer, deps: AppGetDependencies): void {
  server.get(
    '/v1/app',
    {
      schema: { response: { 200: AppAnswer }, summary: 'The app and its settings', tags: ['app'] },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'app:read');
      // What the key was found with may be two seconds old.
      return renderApp(await requireApp(deps.db, app.ref));
    },
  );
}
