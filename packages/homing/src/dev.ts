import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { createApp, createLogger, readConfig, readSecrets, VERSION } from '@homing/server';
import type { Environment, Secrets } from '@homing/server';
import { renderArrival } from './arrival.ts';
import { renderBanner } from './banner.ts';
import { readClientScripts } from './client-scripts.ts';
import { openDevDatabase } from './database.ts';
import { ensureDemoApp } from './demo-app.ts';
import { listenAt } from './failure.ts';
import { keepFirst, readKept } from './kept-file.ts';
import { loadSimulatorIdentity } from './simulator-identity.ts';
import { startSimulatorSet } from './simulator-set.ts';

export interface DevOptions {
  /** Everything that is kept lies below it. */
  readonly directory: string;
  readonly host: string;
  readonly port: number;
  readonly simulatorPort: number;
  readonly environment: Environment;
  readonly binDirectory: string | null;
  readonly say: (line: string) => void;
}

/**
 * The whole of Homing for one developer: database, API, worker, simulated providers and a demo app.
 * Resolves when it serves; disposing the result stops everything and keeps the data.
 */
export async function startDev(options: DevOptions): Promise<AsyncDisposable> {
  const startedAt = performance.now();
  await using stack = new AsyncDisposableStack();
  const directory = resolve(options.directory);
  const { host, port, environment, say } = options;
  // The database first: it tells a second start on the same directory why it may not go on.
  const [database, identity] = await settleBoth(
    openDevDatabase({ ...options, directory }).then((opened) => stack.use(opened)),
    loadSimulatorIdentity(join(directory, 'simulators.json')),
  );
  const simulators = stack.use(
    await startSimulatorSet({
      identity,
      host,
      firstPort: options.simulatorPort,
      onEntry: (entry) => {
        const line = renderArrival(entry);
        if (line !== null) say(line);
      },
    }),
  );
  const config = {
    ...readConfig({
      HOMING_LOG_LEVEL: 'warn',
      ...environment,
      ...database.settings,
      HOMING_HOST: host,
      HOMING_PORT: String(port),
      HOMING_ROLE: 'all',
    }),
    providers: simulators.endpoints,
  };
  const secrets = await loadSecrets(environment, join(directory, 'master.key'));
  const overrides = {
    logger: createLogger(config.logLevel),
    scripts: readClientScripts(),
  };
  const homing = stack.use(createApp(config, secrets, overrides));
  const place = { what: 'the API', host, port, hostOption: '--host', portOption: '--port' };
  const apiUrl = await listenAt(place, () => homing.start());
  const app = await ensureDemoApp(join(directory, 'demo-app.json'), homing, identity);
  say(
    renderBanner({
      version: VERSION,
      readyMs: performance.now() - startedAt,
      apiUrl: apiUrl ?? '',
      inspectionUrl: simulators.inspectionUrl,
      pushSocketUrl: simulators.pushSocket.url,
      database: database.description,
      app,
    }),
  );
  return stack.move();
}

/** Waits for both even when one fails, so that what was opened can be closed again. */
async function settleBoth<A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> {
  await Promise.allSettled([a, b]);
  return [await a, await b];
}

/** The operator's own key, or one that is made at the first start and kept. */
async function loadSecrets(environment: Environment, path: string): Promise<Secrets> {
  const { HOMING_MASTER_KEY: key, HOMING_MASTER_KEY_FILE: file } = environment;
  if (key !== undefined || file !== undefined) return readSecrets(environment);
  const kept = (await readKept(path)) ?? (await keepFirst(path, makeMasterKey()));
  return readSecrets({ ...environment, HOMING_MASTER_KEY: kept });
}

function makeMasterKey(): string {
  return `${randomBytes(32).toString('base64')}\n`;
}
