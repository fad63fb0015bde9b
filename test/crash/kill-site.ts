import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApp, createLogger, readConfig, readSecrets, type App } from '@homing/server';
import { ensureDemoApp } from '../../packages/homing/src/demo-app.ts';
import {
  DEMO_PROJECT,
  DEMO_TOPIC,
  loadSimulatorIdentity,
} from '../../packages/homing/src/simulator-identity.ts';
import type { Database } from '../../packages/server/src/store/sql.ts';
import { HomingProcess } from '../../packages/homing/test/homing-process.ts';
import type { ScratchDirectory } from '../../packages/homing/test/scratch-directory.ts';
import { gatherCrowd } from '../anonymous-crowd.ts';
import { BackEnd } from '../back-end.ts';
import { Referee } from './referee.ts';

/**
 * What stands around workers that are killed: PostgreSQL, the API in this process, the simulators
 * in another one, and an app with its installations.
 */
export interface KillSite extends AsyncDisposable {
  readonly homing: App;
  readonly backEnd: BackEnd;
  readonly referee: Referee;
  /** The command `homing serve --role worker`; the caller ends it. */
  startWorker(): HomingProcess;
}

/** Builds a site on an empty or migrated database, with so many installations. */
export async function openKillSite(
  scratch: ScratchDirectory,
  databaseUrl: string,
  installations: number,
): Promise<KillSite> {
  await using stack = new AsyncDisposableStack();
  const directory = scratch.next();
  const identityFile = join(directory, 'simulators.json');
  const identity = await loadSimulatorIdentity(identityFile);
  const authorityFile = join(directory, 'ca.pem');
  await writeFile(authorityFile, identity.authority.certificatePem);
  const logFile = join(directory, 'taken.log');
  const referee = stack.use(await Referee.start({ identityFile, logFile }));
  const { endpoints } = referee;
  const environment = {
    HOMING_DATABASE_URL: databaseUrl,
    HOMING_MASTER_KEY: randomBytes(32).toString('base64'),
    HOMING_PORT: '0',
    HOMING_LOG_LEVEL: 'error',
    HOMING_APNS_URL: endpoints.apns,
    HOMING_APNS_SANDBOX_URL: endpoints.apnsSandbox,
    HOMING_FCM_URL: endpoints.fcm,
    HOMING_GOOGLE_TOKEN_URL: endpoints.googleToken,
    HOMING_HMS_URL: endpoints.hms,
    HOMING_HMS_TOKEN_URL: endpoints.hmsToken,
    HOMING_EXPO_URL: endpoints.expo,
    HOMING_PROVIDER_CA_FILE: authorityFile,
    // Sources are read anew by each process, which takes longer than anything that it then does.
    NODE_COMPILE_CACHE: join(directory, 'compiled'),
  };
  // A killed process leaves nothing in the cache.
  await new HomingProcess(['--version'], environment).end();
  const config = readConfig({ ...environment, HOMING_ROLE: 'api' });
  const logger = createLogger('error');
  const homing = stack.use(createApp(config, readSecrets(environment), { logger }));
  const url = await homing.start();
  assert(url !== null);
  const app = await ensureDemoApp(join(directory, 'demo-app.json'), homing, identity);
  const crowd = { count: installations, tokenEvery: 1, name: 'crowd', project: DEMO_PROJECT };
  await gatherCrowd(homing.db, app.id, crowd);
  await handOutIphones(homing.db);
  const owned = stack.move();
  return {
    homing,
    referee,
    backEnd: new BackEnd(url, app.secretKey),
    startWorker: () => new HomingProcess(['serve', '--role', 'worker'], environment),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Every second installation is one, so that both providers are sent to at the same time. */
async function handOutIphones(db: Database): Promise<void> {
  await db`
    update installation i
    set provider = 'apns', credential_project = '', environment = 'production',
      topic = ${DEMO_TOPIC}, token = made.token,
      address_key = sha256(convert_to(made.token, 'UTF8')), platform = 'ios'
    from (
      select installation_ref,
        '0a' || left(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 62) as token
      from installation
    ) made
    where made.installation_ref = i.installation_ref and i.installation_ref % 2 = 0`;
  // What an operator's autovacuum has done long before a campaign.
  await db.unsafe('vacuum analyze installation');
}
