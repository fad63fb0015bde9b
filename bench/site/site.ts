import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { startLocalPostgres, type LocalPostgres } from '@homing/local-postgres';
import { provisionApp, readConfig, type NewAppRequest, type ProvisionedApp } from '@homing/server';
import { createApnsKey, createServiceAccount } from '@homing/simulators';
import {
  HomingProcess,
  type CommandEnvironment,
} from '../../packages/homing/test/homing-process.ts';
import type { ScratchDirectory } from '../../packages/homing/test/scratch-directory.ts';
import { createVault } from '../../packages/server/src/credentials/sealing.ts';
import { createProviderKinds } from '../../packages/server/src/provider-kinds.ts';
import { openDatabase, type Database } from '../../packages/server/src/store/sql.ts';
import type { NeutralServer } from '../neutral/neutral-server.ts';
import { checkPopulation } from './check-population.ts';
import { populate, type Watch } from './populate.ts';
import { PROJECT, TOPIC } from './population.ts';
import { createSigner, type Signer } from './signer.ts';

/** Homing in use: PostgreSQL with installations, and an app that they belong to. */
export interface Site extends AsyncDisposable {
  readonly postgres: LocalPostgres;
  /** One connection of the benchmark's own. */
  readonly db: Database;
  readonly app: ProvisionedApp;
  readonly appRef: number;
  readonly signer: Signer;
  /** The product as operators start it, on this database; the caller ends it. */
  serveApi(): Promise<ServedApi>;
  startWorker(): Promise<ServedWorker>;
}

export interface ServedWorker extends AsyncDisposable {
  readonly pid: number;
}

export interface ServedApi extends ServedWorker {
  readonly url: string;
}

/** What stands there before the server starts. */
export interface SiteOptions {
  readonly rows: number;
  /** Where APNs and FCM are, of which the app gets credentials; null where nothing is sent. */
  readonly providers: NeutralServer | null;
  /** Adds what a benchmark needs beside the installations. */
  readonly complete: (db: Database, appRef: number) => Promise<void>;
}

/** Durable as in production; everything else is as `homing dev` sets it. */
const SETTINGS = { fsync: 'on', synchronous_commit: 'on' };

/** Fills a database, then starts its server again, so that nothing of the filling is left in it. */
export async function openSite(
  scratch: ScratchDirectory,
  options: SiteOptions,
  watch: Watch,
): Promise<Site> {
  const directory = scratch.next();
  const masterKey = randomBytes(32);
  const signer = createSigner();
  const filled = await fill({ directory, masterKey, signer }, options, watch);
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startLocalPostgres({ directory, settings: SETTINGS }));
  const db = stack.adopt(openOne(postgres.url), (opened) => opened.end({ timeout: 5 }));
  const environment = environmentOf(postgres, masterKey, options.providers);
  const owned = stack.move();
  return {
    ...filled,
    postgres,
    db,
    signer,
    serveApi: () => serveApi(environment),
    startWorker: () => startWorker(environment),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface SiteBase {
  readonly directory: string;
  readonly masterKey: Buffer;
  readonly signer: Signer;
}

async function fill(
  { directory, masterKey, signer }: SiteBase,
  { rows, providers, complete }: SiteOptions,
  watch: Watch,
): Promise<Pick<Site, 'app' | 'appRef'>> {
  await using postgres = await startLocalPostgres({ directory, settings: SETTINGS });
  await using stack = new AsyncDisposableStack();
  const db = stack.adopt(openOne(postgres.url), (opened) => opened.end({ timeout: 5 }));
  // Its first start makes tables and the partitions of the month.
  const homing = await serveApi(environmentOf(postgres, masterKey, providers));
  await homing[Symbol.asyncDispose]();
  const { providers: endpoints } = readConfig({ HOMING_DATABASE_URL: postgres.url });
  const target = { db, vault: createVault(masterKey), kinds: createProviderKinds(endpoints) };
  const app = await provisionApp(target, {
    name: 'Acme Shop',
    environment: 'live',
    identity: 'required',
    credentials: providers === null ? {} : await makeCredentials(),
    identityKeys: signer.identityKeys,
  });
  const [row] = await db<{ app_ref: number }[]>`select app_ref from app`;
  assert(row !== undefined);
  // What a machine can do is to be seen, and not what Google grants to a project.
  await db`update credential set rate_per_minute = 0`;
  await populate(db, row.app_ref, rows, watch);
  await checkPopulation(db);
  await complete(db, row.app_ref);
  await db.unsafe('vacuum analyze');
  return { app, appRef: row.app_ref };
}

/** Keys that nobody checks. */
async function makeCredentials(): Promise<NewAppRequest['credentials']> {
  const { teamId, keyId, privateKeyPem } = createApnsKey();
  const { json } = await createServiceAccount(PROJECT, '');
  const { token_uri: _tokenUri, ...serviceAccount } = json;
  return {
    apns: { teamId, keyId, privateKeyPem, topics: [TOPIC], environment: 'production' },
    fcm: { serviceAccount },
  };
}

/** The load seems to come from many addresses, as through a proxy. */
function environmentOf(
  postgres: LocalPostgres,
  masterKey: Buffer,
  providers: NeutralServer | null,
): CommandEnvironment {
  return {
    HOMING_DATABASE_URL: postgres.url,
    HOMING_MASTER_KEY: masterKey.toString('base64'),
    HOMING_PORT: '0',
    HOMING_LOG_LEVEL: 'error',
    HOMING_TRUSTED_PROXIES: '127.0.0.1',
    ...(providers === null ? {} : providerEnvironment(providers)),
  };
}

function providerEnvironment({ url, authorityFile }: NeutralServer): CommandEnvironment {
  return {
    HOMING_APNS_URL: url,
    HOMING_FCM_URL: url,
    HOMING_GOOGLE_TOKEN_URL: `${url}/token`,
    HOMING_PROVIDER_CA_FILE: authorityFile,
  };
}

function openOne(url: string): Database {
  return openDatabase({ url, maxConnections: 1, applicationName: 'bench' });
}

async function serveApi(environment: CommandEnvironment): Promise<ServedApi> {
  const homing = new HomingProcess(['serve', '--role', 'api'], environment);
  const [, url = ''] = await homing.says(/^Homing serves (\S+)$/m);
  return { url, ...stoppable(homing) };
}

/** What docs/config.md tells operators to give workers, under "Memory". */
const WORKER_OPTIONS = ['--max-semi-space-size=16'];

async function startWorker(environment: CommandEnvironment): Promise<ServedWorker> {
  const homing = new HomingProcess(['serve', '--role', 'worker'], environment, WORKER_OPTIONS);
  await homing.says(/^Homing works\.$/m);
  return stoppable(homing);
}

/** An orderly end: its sessions tell PostgreSQL what they wrote when they close. */
function stoppable(homing: HomingProcess): ServedWorker {
  return {
    pid: homing.pid,
    async [Symbol.asyncDispose]() {
      await homing.stop();
    },
  };
}
