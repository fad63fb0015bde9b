import { User } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import { describeInstallations } from '../../registry/describe-installation.ts';
import { installationsOfUser } from '../../store/installations.ts';
import type { App } from '../../store/apps.ts';
import type { Database } from '../../store/sql.ts';
import type { UserRecord } from '../../store/users.ts';
import type { Authenticator } from '../authenticate.ts';
import { UserPath } from '../parameters.ts';
import { requireUser } from '../require-user.ts';
import { renderInstallation } from '../render-installation.ts';
import type { HttpServer } from '../server.ts';

export interface UserGetDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
}

/** `GET /v1/users/{id}`: who the user is and where the user is signed in. */
export function userGet(server: HttpServer, deps: UserGetDependencies): void {
  server.get(
    '/v1/users/:user_id',
    {
      schema: {
        params: UserPath,
        response: { 200: User },
        summary: 'A user and where the user is signed in',
        tags: ['users'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'users:read');
      const user = await requireUser(deps.db, app.ref, request.params);
      return renderUser(deps.db, app, user, deps.clock());
    },
  );
}

export async function renderUser(
  db: Database,
  app: App,
  user: UserRecord,
  now: Date,
): Promise<User> {
  const view = { reader: 'back_end', accountMode: app.accountMode, now } as const;
  const installations = await installationsOfUser(db, app.ref, user.ref);
  const described = await describeInstallations(db, installations);
  return {
    id: user.id,
    attributes: user.attributes,
    preferences: user.preferences,
    consent: user.consent,
    quiet_hours: user.quietHours,
    locale: user.locale,
    time_zone: user.timeZone,
    installations: described.map((one) => renderInstallation(one, view)),
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}
