import type { AddressInfo } from 'node:net';
import { createKeyBook } from './access/key-book.ts';
import type { Config } from './config/config.ts';
import type { Secrets } from './config/secrets.ts';
import { createVault, type Vault } from './credentials/sealing.ts';
import { Dispatcher } from './dispatcher/dispatcher.ts';
import type { Clock } from './domain/clock.ts';
import { addRoutes } from './http/add-routes.ts';
import { documentRoutes } from './http/openapi.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { createMaintenance } from './maintenance.ts';
import { createLaneObserver, createProviderOpener } from './open-provider.ts';
import { createAppReader } from './app-reader.ts';
import { createAnnouncer, listenForWork } from './store/announcements.ts';
import { isMigrated, migrate } from './store/migrate.ts';
import { openDatabase, type Database } from './store/sql.ts';
import { createEvents } from './telemetry/events.ts';
import { createLogger, type Logger } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';

/** What tests and `homing dev` may put in place of the defaults. */
export interface Overrides {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly logger?: Logger;
}

export interface App extends AsyncDisposable {
  /** Migrates, listens, leases; resolves with the base URL of the API, null for a mere worker. */
  start(): Promise<string | null>;
  readonly db: Database;
  readonly vault: Vault;
  readonly http: HttpServer;
  /** Null in a process that does not send. */
  readonly dispatcher: Dispatcher | null;
}

export const VERSION = '0.1.0';

/** THE COMPOSITION ROOT: builds the server from its configuration; starts nothing yet. */
export function createApp(config: Config, secrets: Secrets, overrides: Overrides = {}): App {
  const clock = overrides.clock ?? (() => new Date());
  const random = overrides.random ?? Math.random;
  const logger = overrides.logger ?? createLogger(config.logLevel);
  const metrics = createMetrics();
  const events = createEvents(logger, metrics);
  const vault = createVault(secrets.masterKey);
  const { url, directUrl, connections } = config.database;
  const db = openDatabase({ url, maxConnections: connections, applicationName: 'homing' });
  const announceWork = createAnnouncer(db, events.announcementLost);
  const state = { isDraining: false };

  const http = createHttpServer({
    logger,
    trustedProxies: config.http.trustedProxies,
    tls: config.http.tls,
    isDraining: () => state.isDraining,
  });
  const owner = `${process.pid}.${crypto.randomUUID().slice(0, 8)}`;
  const dispatcher =
    config.role === 'api'
      ? null
      : new Dispatcher({
          db,
          clock,
          random,
          owner,
          openLane: createProviderOpener({ db, vault, clock, endpoints: config.providers }),
          laneObserver: createLaneObserver(db, clock, events),
          metrics: { outcome: events.outcome, fault: events.dispatcherFault },
        });
  const listener =
    dispatcher === null || directUrl === null
      ? null
      : openDatabase({ url: directUrl, maxConnections: 1, applicationName: 'homing listener' });
  const maintenance = createMaintenance(db, clock, events.maintenanceFailed);

  return {
    db,
    vault,
    http,
    dispatcher,
    async start() {
      await migrate(db);
      await maintenance.start();
      if (dispatcher !== null) {
        if (listener !== null) await listenForWork(listener, () => dispatcher.wake());
        dispatcher.start();
      }
      if (config.role === 'worker') return null;
      await documentRoutes(http, VERSION);
      addRoutes(http, {
        db,
        clock,
        announceWork,
        keys: createKeyBook(db, clock),
        ...createAppReader(db, vault),
        syncKeys: { nonce: vault.derive('takeover nonce'), erasure: vault.derive('erasure') },
        health: {
          version: VERSION,
          metrics: metrics.render,
          notReady: () => notReady(db, state),
        },
      });
      await http.listen({ host: config.http.host, port: config.http.port });
      const { port } = http.server.address() as AddressInfo;
      return `${config.http.tls === null ? 'http' : 'https'}://${config.http.host}:${port}`;
    },
    async [Symbol.asyncDispose]() {
      state.isDraining = true;
      await http.close();
      await dispatcher?.[Symbol.asyncDispose]();
      await maintenance[Symbol.asyncDispose]();
      await listener?.end({ timeout: 5 });
      await db.end({ timeout: 5 });
    },
  };
}

async function notReady(
  db: Database,
  state: { readonly isDraining: boolean },
): Promise<string | null> {
  if (state.isDraining) return 'the process is shutting down';
  try {
    return (await isMigrated(db)) ? null : 'migrations are missing';
  } catch {
    return 'the database is not available';
  }
}
