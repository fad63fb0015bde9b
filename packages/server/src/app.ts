import { createApi } from './api.ts';
import type { Config } from './config/config.ts';
import type { Secrets } from './config/secrets.ts';
import { createVault, type Vault } from './credentials/sealing.ts';
import type { Dispatcher } from './dispatcher/dispatcher.ts';
import type { Clock } from './domain/clock.ts';
import { decideSync } from './domain/registration.ts';
import type { Scripts } from './http/routes/sdk-script.ts';
import type { HttpServer } from './http/server.ts';
import { createMaintenance, type Maintenance } from './maintenance.ts';
import {
  createDispatcherMetrics,
  createLaneObserver,
  createProviderOpener,
} from './open-provider.ts';
import { createProviderKinds, type ProviderKinds } from './provider-kinds.ts';
import { createAnnouncer } from './store/announcements.ts';
import { migrate } from './store/migrate.ts';
import { openDatabase, type Database } from './store/sql.ts';
import { createEvents } from './telemetry/events.ts';
import { createLogger, type Logger } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createWorkerHealth } from './worker-health.ts';
import { createWorker } from './worker.ts';

/** What tests and `homing dev` may put in place of the defaults. */
export interface Overrides {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly logger?: Logger;
  /** How long a provider's answer may take, where a test is to see that it stays away. */
  readonly answerTimeoutMs?: number;
  /** Served under `/sdk/` by their names, for web pages without a build; none unless given. */
  readonly scripts?: Scripts;
  /** The registry's decision, for a test to plant a fault that it then has to find. */
  readonly decideSync?: typeof decideSync;
}

export interface App extends AsyncDisposable {
  /**
   * Migrates, leases, serves; resolves with the base URL of the API, for a mere worker with that of
   * its health, or null where nobody is to ask for it.
   */
  start(): Promise<string | null>;
  readonly db: Database;
  readonly vault: Vault;
  /** What it can send with. */
  readonly kinds: ProviderKinds;
  readonly http: HttpServer;
  /** Null in a process that does not send. */
  readonly dispatcher: Dispatcher | null;
  /** What the process does hourly for the database. */
  readonly maintenance: Maintenance;
}

export const VERSION = '0.1.0';

/** THE COMPOSITION ROOT: builds the server from its configuration; starts nothing yet. */
export function createApp(config: Config, secrets: Secrets, overrides: Overrides = {}): App {
  const clock = overrides.clock ?? (() => new Date());
  const random = overrides.random ?? Math.random;
  const answerTimeoutMs = overrides.answerTimeoutMs ?? null;
  const logger = overrides.logger ?? createLogger(config.logLevel);
  const metrics = createMetrics();
  const events = createEvents(logger, metrics);
  const vault = createVault(secrets.masterKey, secrets.otherMasterKeys);
  const kinds = createProviderKinds(config.providers);
  const { url, connections } = config.database;
  const db = openDatabase({ url, maxConnections: connections, applicationName: 'homing' });
  const { deliveryDays } = config.retention;
  const onError = events.maintenanceFailed;
  const maintenance = createMaintenance({ db, clock, deliveryDays, onError });
  const announceWork = createAnnouncer(db, events.announcementLost);
  const shared = { db, vault, clock, kinds };
  const serving = { ...shared, http: config.http, version: VERSION, logger, metrics };
  const health = createWorkerHealth(serving);
  const api = createApi({
    ...serving,
    outbound: config.outbound,
    webPushHosts: config.providers.webPushHosts,
    announceWork,
    wakeMaintenance: () => maintenance.wake(),
    decideSync: overrides.decideSync ?? decideSync,
    scripts: overrides.scripts ?? new Map(),
    keySetFailed: events.keySetFailed,
  });
  const worker =
    config.role === 'api'
      ? null
      : createWorker({
          db,
          clock,
          random,
          database: config.database,
          openLane: createProviderOpener({ ...shared, answerTimeoutMs }),
          laneObserver: createLaneObserver(db, clock, events),
          metrics: createDispatcherMetrics(events),
        });

  return {
    db,
    vault,
    kinds,
    http: api.server,
    dispatcher: worker?.dispatcher ?? null,
    maintenance,
    async start() {
      await migrate(db);
      await maintenance.start();
      await worker?.start();
      if (config.role !== 'worker') return api.listen();
      const { workerPort } = config.http;
      return workerPort === null ? null : health.listen(workerPort);
    },
    async [Symbol.asyncDispose]() {
      // What is sent already takes a while to be answered; until then requests are still served.
      api.drain();
      health.drain();
      await worker?.[Symbol.asyncDispose]();
      await health[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await maintenance[Symbol.asyncDispose]();
      await db.end({ timeout: 5 });
    },
  };
}
