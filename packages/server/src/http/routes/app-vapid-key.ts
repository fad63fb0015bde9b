import { VapidKeyAnswer } from '@homing/protocol';
import type { CredentialFacts } from '../../domain/token-input.ts';
import type { App } from '../../store/apps.ts';
import { ApiError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import type { HttpServer } from '../server.ts';

export interface AppVapidKeyDependencies {
  readonly authenticator: Authenticator;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

/** `GET /v1/app/vapid-key`: what a web page subscribes with. */
export function appVapidKey(server: HttpServer, deps: AppVapidKeyDependencies): void {
  server.get(
    '/v1/app/vapid-key',
    {
      schema: {
        response: { 200: VapidKeyAnswer },
        summary: 'The key that a web page passes to pushManager.subscribe()',
        tags: ['app'],
      },
    },
    async (request) => {
      const app = await deps.authenticator.page(request, 'app:read');
      const credentials = await deps.credentialsOf(app);
      // The newest one comes first; older ones serve the subscriptions that were made with them.
      const newest = credentials.find(({ provider }) => provider === 'webpush');
      if (newest === undefined) throw new ApiError('not_found', 'the app has no key for Web Push');
      return { application_server_key: newest.project };
    },
  );
}
