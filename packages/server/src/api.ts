import { createKeyBook } from './access/key-book.ts';
import { createAppReader } from './app-reader.ts';
import { createCredentialInspection } from './credential-inspection.ts';
import type { Config } from './config/config.ts';
import type { Vault } from './credentials/sealing.ts';
import type { Clock } from './domain/clock.ts';
import { addRoutes } from './http/add-routes.ts';
import type { decideSync } from './domain/registration.ts';
import { documentRoutes } from './http/openapi.ts';
import type { Scripts } from './http/routes/sdk-script.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import { listenAt } from './listen-at.ts';
import { reasonsOf, type ProviderKinds } from './provider-kinds.ts';
import { notReady } from './readiness.ts';
import { SyncQueue } from './registry/sync-queue.ts';
import { DocumentClient } from './outbound/document-client.ts';
import type { Database } from './store/sql.ts';
import type { Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** The half of the server that people and devices talk to. */
export interface Api extends AsyncDisposable {
  readonly server: HttpServer;
  /** Serves, and resolves with the base URL. */
  listen(): Promise<string>;
  /** Goes on serving, but says that it is not ready, so that balancers look for another process. */
  drain(): void;
}

export interface ApiOptions {
  readonly http: Config['http'];
  readonly outbound: Config['outbound'];
  readonly webPushHosts: readonly string[];
  readonly version: string;
  readonly db: Database;
  readonly vault: Vault;
  readonly kinds: ProviderKinds;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly announceWork: () => void;
  readonly wakeMaintenance: () => void;
  readonly decideSync: typeof decideSync;
  readonly scripts: Scripts;
  readonly keySetFailed: (appRef: number, why: string) => void;
}

/** The HTTP server with all routes; disposing it lets what is under way finish. */
export function createApi(options: ApiOptions): Api {
  const { http, version, db, vault, kinds, clock, logger, metrics } = options;
  const { announceWork, wakeMaintenance, decideSync, keySetFailed } = options;
  const erasureKeys = vault.derive('erasure');
  const { hosts, ca } = options.outbound;
  const documents = new DocumentClient({ allowed: new Set(hosts), ca });
  const state = { isDraining: false };
  const { trustedProxies, tls } = http;
  const isDraining = (): boolean => state.isDraining;
  const server = createHttpServer({ logger, metrics, trustedProxies, tls, isDraining });
  return {
    server,
    async listen() {
      await documentRoutes(server, version);
      addRoutes(server, {
        db,
        clock,
        announceWork,
        wakeMaintenance,
        measure: (provider, push) => kinds[provider].measure(push),
        reasons: reasonsOf(kinds),
        keys: createKeyBook(db, clock),
        syncs: new SyncQueue({
          db,
          keys: { nonce: vault.derive('takeover nonce'), erasure: erasureKeys },
          decide: decideSync,
        }),
        erasureKey: erasureKeys[0],
        ...createAppReader({ db, vault, clock, documents, keySetFailed }),
        vault,
        pushHosts: new Set(options.webPushHosts),
        inspection: createCredentialInspection({ db, vault, clock, kinds }),
        refuseUrl: (text) => documents.refuse(text),
        scripts: options.scripts,
        health: {
          version,
          metrics: () => metrics.render(),
          notReady: () => notReady(db, isDraining()),
        },
      });
      return listenAt(server, http, http.port);
    },
    drain() {
      state.isDraining = true;
    },
    async [Symbol.asyncDispose]() {
      state.isDraining = true;
      await server.close();
      await documents[Symbol.asyncDispose]();
    },
  };
}
