import { createAlerts, type Alerts } from './resources/alerts.ts';
import { createAppSettings, type AppSettingsResource } from './resources/app.ts';
import { createAudiences, type Audiences } from './resources/audiences.ts';
import { createCredentials, type Credentials } from './resources/credentials.ts';
import { createIdentityKeys, type IdentityKeys } from './resources/identity-keys.ts';
import { createInstallations, type Installations } from './resources/installations.ts';
import { createNotifications, type Notifications } from './resources/notifications.ts';
import { createReasons, type Reasons } from './resources/reasons.ts';
import { createReviews, type Reviews } from './resources/reviews.ts';
import { createUsers, type Users } from './resources/users.ts';
import { toSettings, type HomingOptions } from './settings.ts';
import { createTransport } from './transport.ts';

/**
 * All that a secret key may do, by what it is about; each method is one operation of the
 * contract. They reject with a `HomingError`, with the reason of the caller's signal, or with a
 * `TypeError` for what could not even be sent.
 */
export interface Homing {
  readonly notifications: Notifications;
  readonly installations: Installations;
  readonly users: Users;
  readonly audiences: Audiences;
  readonly app: AppSettingsResource;
  readonly credentials: Credentials;
  readonly identityKeys: IdentityKeys;
  readonly alerts: Alerts;
  readonly reviews: Reviews;
  readonly reasons: Reasons;
}

/**
 * A Homing server as a back end sees it. It holds no connections of its own and needs not be
 * closed; one serves a whole process. Throws a `TypeError` for options that cannot work.
 */
export function createHoming(options: HomingOptions): Homing {
  const transport = createTransport(toSettings(options));
  return {
    notifications: createNotifications(transport),
    installations: createInstallations(transport),
    users: createUsers(transport),
    audiences: createAudiences(transport),
    app: createAppSettings(transport),
    credentials: createCredentials(transport),
    identityKeys: createIdentityKeys(transport),
    alerts: createAlerts(transport),
    reviews: createReviews(transport),
    reasons: createReasons(transport),
  };
}
