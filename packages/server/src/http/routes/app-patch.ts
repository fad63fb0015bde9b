import { AppChangeAnswer, AppInput } from '@homing/protocol';
import { Type } from 'typebox';
import type { IdentityKeyBook } from '../../access/identity-key-book.ts';
import type { KeyBook } from '../../access/key-book.ts';
import { changeApp } from '../../registry/change-app.ts';
import type { Database } from '../../store/sql.ts';
import { fieldError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { renderApp } from '../render-app.ts';
import type { HttpServer } from '../server.ts';

export interface AppPatchDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly keys: KeyBook;
  readonly identityKeys: IdentityKeyBook;
  /** Why the server may not ask an address, or null. */
  readonly refuseUrl: (text: string) => string | null;
}

const DryRunQuery = Type.Object(
  {
    dry_run: Type.Optional(
      Type.Enum(['true', 'false'], { description: 'Say what would be, and change nothing' }),
    ),
  },
  { additionalProperties: false },
);

/** `PATCH /v1/app`: changes the settings that are named. */
export function appPatch(server: HttpServer, deps: AppPatchDependencies): void {
  server.patch(
    '/v1/app',
    {
      schema: {
        body: AppInput,
        querystring: DryRunQuery,
        response: { 200: AppChangeAnswer },
        summary: 'Change settings of the app; every process follows within two seconds',
        tags: ['app'],
      },
    },
    async (request) => {
      const context = await deps.authenticator.backEndWriter(request, 'app:write');
      const { jwks_url: keySetUrl } = request.body;
      const why = typeof keySetUrl === 'string' ? deps.refuseUrl(keySetUrl) : null;
      if (why !== null) throw fieldError('/jwks_url', why);
      const dryRun = request.query.dry_run === 'true';
      const result = await changeApp(deps.db, context, request.body, { dryRun });
      if (result.kind === 'refused') throw fieldError(result.pointer, result.detail);
      deps.keys.forget();
      deps.identityKeys.forget();
      const { app, ended, retiredKeys } = result;
      return {
        ...renderApp(app),
        ...(ended !== null && { ended: { ...ended } }),
        ...(retiredKeys !== null && { retired_keys: [...retiredKeys] }),
      };
    },
  );
}
