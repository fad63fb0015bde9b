import type { Config } from './config/config.ts';
import { operations } from './http/routes/operations.ts';
import { createHttpServer } from './http/server.ts';
import { listenAt } from './listen-at.ts';
import { notReady } from './readiness.ts';
import type { Database } from './store/sql.ts';
import type { Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** Where a mere worker tells of its health: no more than whoever watches over processes asks. */
export interface WorkerHealth extends AsyncDisposable {
  /** Serves, and resolves with the base URL. */
  listen(port: number): Promise<string>;
  /** Says that it is not ready any more. */
  drain(): void;
}

export interface WorkerHealthOptions {
  readonly http: Config['http'];
  readonly version: string;
  readonly db: Database;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The operations routes alone, on a listener of their own. */
export function createWorkerHealth(options: WorkerHealthOptions): WorkerHealth {
  const { http, version, db, logger, metrics } = options;
  const state = { isDraining: false };
  const isDraining = (): boolean => state.isDraining;
  const { trustedProxies, tls } = http;
  const server = createHttpServer({ logger, metrics, trustedProxies, tls, isDraining });
  operations(server, {
    version,
    metrics: () => metrics.render(),
    notReady: () => notReady(db, isDraining()),
  });
  return {
    listen: (port) => listenAt(server, http, port),
    drain() {
      state.isDraining = true;
    },
    async [Symbol.asyncDispose]() {
      state.isDraining = true;
      await server.close();
    },
  };
}
