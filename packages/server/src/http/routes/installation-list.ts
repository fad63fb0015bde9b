import { Installation, Page } from '@homing/protocol';
import { Type } from 'typebox';
import { addressKey } from '../../domain/address-key.ts';
import { LIMITS } from '../../domain/limits.ts';
import { candidateAddresses } from '../../domain/simple-token.ts';
import type { CredentialFacts } from '../../domain/token-input.ts';
import { describeInstallations } from '../../registry/describe-installation.ts';
import type { App } from '../../store/apps.ts';
import { listInstallations } from '../../store/installations.ts';
import type { Database } from '../../store/sql.ts';
import { findUser } from '../../store/users.ts';
import type { Authenticator } from '../authenticate.ts';
import { parseCursor, requireUserId } from '../parameters.ts';
import { renderInstallation } from '../render-installation.ts';
import type { HttpServer } from '../server.ts';
import type { Clock } from '../../domain/clock.ts';
import { installationStatus, INSTALLATION_STATUSES } from '../../domain/installation.ts';

export interface InstallationListDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

const Query = Type.Object(
  {
    user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
    platform: Type.Optional(Type.String({ pattern: '^[^\\u0000]{1,32}$' })),
    status: Type.Optional(Type.Enum([...INSTALLATION_STATUSES])),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.pageMax })),
    after: Type.Optional(Type.String({ maxLength: 32 })),
  },
  { additionalProperties: false },
);
const Answer = Type.Object({ data: Type.Array(Installation), page: Page });

/** `GET /v1/installations`: by user, token, platform or status. */
export function installationList(server: HttpServer, deps: InstallationListDependencies): void {
  server.get(
    '/v1/installations',
    {
      schema: {
        querystring: Query,
        response: { 200: Answer },
        summary: 'Find installations by user, token, platform or status',
        tags: ['installations'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'installations:read');
      const { user_id: userId, token, platform, status, after } = request.query;
      const limit = request.query.limit ?? LIMITS.pageDefault;
      const user =
        userId === undefined
          ? null
          : await findUser(deps.db, app.ref, requireUserId(userId, '/querystring/user_id'));
      if (userId !== undefined && user === null) return { data: [], page: { after: null, limit } };
      const found = await listInstallations(deps.db, app.ref, {
        userRef: user?.ref ?? null,
        addressKeys:
          token === undefined
            ? null
            : candidateAddresses(token, await deps.credentialsOf(app)).map(addressKey),
        platform: platform ?? null,
        after: after === undefined ? 0 : parseCursor(after),
        limit,
      });
      const now = deps.clock();
      const view = { reader: 'back_end', accountMode: app.accountMode, now } as const;
      const kept = found.filter(
        (installation) => status === undefined || installationStatus(installation, now) === status,
      );
      const described = await describeInstallations(deps.db, kept);
      const last = found.length === limit ? (found.at(-1)?.ref ?? null) : null;
      return {
        data: described.map((description) => renderInstallation(description, view)),
        page: { after: last === null ? null : String(last), limit },
      };
    },
  );
}
