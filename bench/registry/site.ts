import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { startLocalPostgres, type LocalPostgres } from '@homing/local-postgres';
import { provisionApp, type ProvisionedApp } from '@homing/server';
import {
  HomingProcess,
  type CommandEnvironment,
} from '../../packages/homing/test/homing-process.ts';
import type { ScratchDirectory } from '../../packages/homing/test/scratch-directory.ts';
import { createVault } from '../../packages/server/src/credentials/sealing.ts';
import { openDatabase, type Database } from '../../packages/server/src/store/sql.ts';
import { checkPopulation } from './check-population.ts';
import { populate, type Watch } from './populate.ts';
import { createSigner, type Signer } from './signer.ts';

/** A registry in use: PostgreSQL with its installations, and an app that they belong to. */
export interface Site extends AsyncDisposable {
  readonly postgres: LocalPostgres;
  /** One connection of the benchmark's own. */
  readonly db: Database;
  readonly app: ProvisionedApp;
  readonly appRef: number;
  readonly signer: Signer;
  /** The product as operators start it, on this database; the caller ends it. */
  serve(): Promise<ServedApi>;
}

export interface ServedApi extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** Durable as in production; everything else is as `homing dev` sets it. */
const SETTINGS = { fsync: 'on', synchronous_commit: 'on' };

/** Fills a database, then starts its server again, so that nothing of the filling is left in it. */
export async function openSite(
  scratch: ScratchDirectory,
  rows: number,
  watch: Watch,
): Promise<Site> {
  const directory = scratch.next();
  const masterKey = randomBytes(32);
  const signer = createSigner();
  const filled = await fill(directory, masterKey, signer, rows, watch);
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startLocalPostgres({ directory, settings: SETTINGS }));
  const db = stack.adopt(openOne(postgres.url), (opened) => opened.end({ timeout: 5 }));
  const environment = environmentOf(postgres, masterKey);
  const owned = stack.move();
  return {
    ...filled,
    postgres,
    db,
    signer,
    serve: () => serve(environment),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function fill(
  directory: string,
  masterKey: Buffer,
  signer: Signer,
  rows: number,
  watch: Watch,
): Promise<Pick<Site, 'app' | 'appRef'>> {
  await using postgres = await startLocalPostgres({ directory, settings: SETTINGS });
  await using stack = new AsyncDisposableStack();
  const db = stack.adopt(openOne(postgres.url), (opened) => opened.end({ timeout: 5 }));
  // Its first start makes tables and the partitions of the month.
  const homing = await serve(environmentOf(postgres, masterKey));
  await homing[Symbol.asyncDispose]();
  const app = await provisionApp(db, createVault(masterKey), {
    name: 'Acme Shop',
    environment: 'live',
    identity: 'required',
    apns: null,
    fcm: null,
    identityKeys: signer.identityKeys,
  });
  const [row] = await db<{ app_ref: number }[]>`select app_ref from app`;
  assert(row !== undefined);
  await populate(db, row.app_ref, rows, watch);
  await checkPopulation(db);
  return { app, appRef: row.app_ref };
}

/** The load seems to come from many addresses, as through a proxy. */
function environmentOf(postgres: LocalPostgres, masterKey: Buffer): CommandEnvironment {
  return {
    HOMING_DATABASE_URL: postgres.url,
    HOMING_MASTER_KEY: masterKey.toString('base64'),
    HOMING_PORT: '0',
    HOMING_LOG_LEVEL: 'error',
    HOMING_TRUSTED_PROXIES: '127.0.0.1',
  };
}

function openOne(url: string): Database {
  return openDatabase({ url, maxConnections: 1, applicationName: 'bench' });
}

async function serve(environment: CommandEnvironment): Promise<ServedApi> {
  const homing = new HomingProcess(['serve', '--role', 'api'], environment);
  const [, url = ''] = await homing.says(/^Homing serves (\S+)$/m);
  return {
    url,
    pid: homing.pid,
    async [Symbol.asyncDispose]() {
      // An orderly end: its sessions tell PostgreSQL what they wrote when they close.
      await homing.stop();
    },
  };
}
