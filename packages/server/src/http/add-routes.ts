import type { IdentityKeyBook } from '../access/identity-key-book.ts';
import type { KeyBook } from '../access/key-book.ts';
import type { CredentialInspection } from '../credentials/credential-inspection.ts';
import type { Vault } from '../credentials/sealing.ts';
import type { Clock } from '../domain/clock.ts';
import type { AllowedHosts } from '../domain/outbound-url.ts';
import { createAnswerReasonFinder, type AnswerReason } from '../domain/answer-reason.ts';
import type { CredentialFacts } from '../domain/token-input.ts';
import type { SyncQueue } from '../registry/sync-queue.ts';
import type { MeasurePush } from '../sending/validate-notification.ts';
import type { App } from '../store/apps.ts';
import { SharedTransactions } from '../store/shared-transactions.ts';
import type { Database } from '../store/sql.ts';
import { createAuthenticator } from './authenticate.ts';
import { createIdentity } from './identity.ts';
import { createClientLimit } from './client-limit.ts';
import { alertClose } from './routes/alert-close.ts';
import { alertList } from './routes/alert-list.ts';
import { appCredentials } from './routes/app-credentials.ts';
import { appCredentialVerify } from './routes/app-credential-verify.ts';
import { appGet } from './routes/app-get.ts';
import { appIdentityKeys } from './routes/app-identity-keys.ts';
import { appPatch } from './routes/app-patch.ts';
import { appVapidKey } from './routes/app-vapid-key.ts';
import { audienceCreate } from './routes/audience-create.ts';
import { audienceGet } from './routes/audience-get.ts';
import { deleteToken } from './routes/delete-token.ts';
import { docsPage } from './routes/docs-page.ts';
import { errorPage } from './routes/error-page.ts';
import { installationDelete } from './routes/installation-delete.ts';
import { installationGet } from './routes/installation-get.ts';
import { installationList } from './routes/installation-list.ts';
import { installationPreferencesPut } from './routes/installation-preferences-put.ts';
import { installationPurposeTokens } from './routes/installation-purpose-tokens.ts';
import { installationPut } from './routes/installation-put.ts';
import { installationReceipts } from './routes/installation-receipts.ts';
import { installationTimelineGet } from './routes/installation-timeline.ts';
import { installationTopics } from './routes/installation-topics.ts';
import { installationUserDelete } from './routes/installation-user-delete.ts';
import { notificationCancel } from './routes/notification-cancel.ts';
import { notificationCreate } from './routes/notification-create.ts';
import { notificationDeliveries } from './routes/notification-deliveries.ts';
import { notificationExplain } from './routes/notification-explain.ts';
import { notificationGet } from './routes/notification-get.ts';
import { notificationPause } from './routes/notification-pause.ts';
import { notificationValidate } from './routes/notification-validate.ts';
import { operations, type ProcessHealth } from './routes/operations.ts';
import { reasonList } from './routes/reason-list.ts';
import { reasonPage } from './routes/reason-page.ts';
import { registerToken } from './routes/register-token.ts';
import { reviewApply } from './routes/review-apply.ts';
import { reviewCreate } from './routes/review-create.ts';
import { reviewGet } from './routes/review-get.ts';
import { reviewList } from './routes/review-list.ts';
import { sdkScripts, type Scripts } from './routes/sdk-script.ts';
import { userDelete } from './routes/user-delete.ts';
import { userExport } from './routes/user-export.ts';
import { userGet } from './routes/user-get.ts';
import { userPut } from './routes/user-put.ts';
import { userRevoke } from './routes/user-revoke.ts';
import { userTimelineGet } from './routes/user-timeline.ts';
import { userTopics } from './routes/user-topics.ts';
import type { HttpServer } from './server.ts';

export interface RouteDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly keys: KeyBook;
  readonly identityKeys: IdentityKeyBook;
  readonly vault: Vault;
  readonly inspection: CredentialInspection;
  /** Why an address that an app's owner gave may not be asked, or null. */
  readonly refuseUrl: (text: string) => string | null;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
  /** Push services of the operator's own. */
  readonly pushHosts: AllowedHosts;
  readonly syncs: SyncQueue;
  /** Digests the ids of erased users. */
  readonly erasureKey: Buffer;
  readonly announceWork: () => void;
  readonly wakeMaintenance: () => void;
  readonly measure: MeasurePush;
  /** What the answers of all providers mean. */
  readonly reasons: readonly AnswerReason[];
  readonly health: ProcessHealth;
  readonly scripts: Scripts;
}

/** Adds every route of the API; each gets only what it uses. */
export function addRoutes(server: HttpServer, deps: RouteDependencies): void {
  const { db, clock, keys, identityKeys, credentialsOf, syncs, announceWork, measure } = deps;
  const limit = createClientLimit();
  const authenticator = createAuthenticator(keys, clock, limit);
  const identity = createIdentity(identityKeys);
  const base = { db, clock, authenticator };
  const findReason = createAnswerReasonFinder(deps.reasons);

  appGet(server, base);
  appPatch(server, { ...base, keys, identityKeys, refuseUrl: deps.refuseUrl });
  appIdentityKeys(server, { ...base, vault: deps.vault, identityKeys });
  appVapidKey(server, { authenticator, credentialsOf });
  const { vault, inspection } = deps;
  appCredentials(server, { ...base, vault, inspection, announceWork });
  appCredentialVerify(server, { ...base, inspection });

  const { pushHosts } = deps;
  installationPut(server, { db, authenticator, identity, syncs, credentialsOf, pushHosts });
  installationGet(server, base);
  installationList(server, { ...base, credentialsOf });
  installationDelete(server, base);
  installationUserDelete(server, { authenticator, syncs });
  installationTimelineGet(server, base);
  installationPreferencesPut(server, base);
  installationTopics(server, base);
  installationPurposeTokens(server, { ...base, credentialsOf });
  installationReceipts(server, base);

  userGet(server, base);
  userPut(server, base);
  userDelete(server, { ...base, erasureKey: deps.erasureKey });
  userRevoke(server, base);
  userTimelineGet(server, base);
  userExport(server, base);
  userTopics(server, base);

  const shared = new SharedTransactions(db);
  notificationCreate(server, { ...base, shared, announceWork });
  notificationGet(server, base);
  notificationDeliveries(server, { ...base, findReason });
  notificationExplain(server, { ...base, findReason });
  notificationCancel(server, { ...base, announceWork });
  notificationPause(server, { ...base, announceWork });
  notificationValidate(server, { ...base, measure });

  const { wakeMaintenance } = deps;
  audienceCreate(server, { ...base, wakeMaintenance });
  audienceGet(server, base);

  alertList(server, { ...base, findReason });
  alertClose(server, base);
  reviewList(server, base);
  reviewGet(server, base);
  reviewCreate(server, { ...base, wakeMaintenance });
  reviewApply(server, { ...base, wakeMaintenance });

  const simple = { db, clock, keys, identityKeys, credentialsOf };
  registerToken(server, { ...simple, syncs, limit });
  deleteToken(server, { ...simple, syncs });

  operations(server, deps.health);
  errorPage(server);
  reasonList(server, deps.reasons);
  reasonPage(server, deps.reasons);
  docsPage(server);
  sdkScripts(server, deps.scripts);
}
