import type { Config } from './config/config.ts';
import type { Secrets } from './config/secrets.ts';
import { createCredentialInspection } from './credential-inspection.ts';
import type { CredentialInspection } from './credentials/credential-inspection.ts';
import { countUnopened, type SealCount } from './credentials/count-unopened.ts';
import { createVault } from './credentials/sealing.ts';
import { formatTypedId } from './domain/typed-id.ts';
import { daysLeft, EXPIRY_WARNINGS_DAYS } from './domain/expiry.ts';
import type { Verification } from './domain/verification.ts';
import { createProviderKinds } from './provider-kinds.ts';
import { providerPlaces, whyOutOfReach } from './provider-reach.ts';
import { isMigrated } from './store/migrate.ts';
import { openDatabase, type Database } from './store/sql.ts';
import {
  countOpenAlerts,
  databaseTime,
  databaseVersion,
  liveCredentials,
  sendingStanding,
  type LiveCredential,
} from './store/standing.ts';

/**
 * One thing that was looked at. `trouble` keeps Homing, or something of it, from working; a
 * `warning` does not yet.
 */
export interface Symptom {
  readonly check: string;
  readonly state: 'good' | 'warning' | 'trouble';
  /** What is the case, for people. */
  readonly what: string;
  /** What to do about it; null where nothing is to be done. */
  readonly fix: string | null;
}

const OLDEST_VERSION = 150_000;
/** Leases run on the database's clock, and everything else on ours. */
const TOLERABLE_CLOCK_MS = 5_000;
/** Work is taken up within a second; so much later nobody seems to be there. */
const LATE_SECONDS = 60;
const VERIFY_MS = 25_000;

/**
 * Looks at everything that keeps a deployment from working, in the order in which it has to be put
 * right, and ends early where what follows could not be looked at. Changes nothing; what it asks
 * providers reaches no phone.
 */
export async function* examine(config: Config, secrets: Secrets): AsyncGenerator<Symptom> {
  const { url } = config.database;
  const db = openDatabase({ url, maxConnections: 2, applicationName: 'homing doctor' });
  try {
    const database = await examineDatabase(db);
    yield database;
    if (database.state === 'trouble') return;
    const migrations = await examineMigrations(db);
    yield migrations;
    yield await examineClock(db);
    if (migrations.state === 'trouble') return;
    const vault = createVault(secrets.masterKey, secrets.otherMasterKeys);
    yield sealSymptom(await countUnopened(db, vault));
    yield* examineReach(config);
    const kinds = createProviderKinds(config.providers);
    const inspection = createCredentialInspection({ db, vault, clock: wallClock, kinds });
    yield* examineCredentials(db, inspection);
    yield await examineSending(db);
    yield await examineAlerts(db);
  } finally {
    await db.end({ timeout: 5 });
  }
}

function wallClock(): Date {
  return new Date();
}

function good(check: string, what: string): Symptom {
  return { check, state: 'good', what, fix: null };
}

async function examineDatabase(db: Database): Promise<Symptom> {
  const check = 'database';
  try {
    const version = await databaseVersion(db);
    const [major, minor] = [Math.floor(version / 10_000), version % 10_000];
    const what = `PostgreSQL ${major}.${minor}`;
    if (version >= OLDEST_VERSION) return good(check, what);
    return { check, state: 'trouble', what, fix: 'Use PostgreSQL 15 or newer.' };
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const fix = 'Start the database, and check HOMING_DATABASE_URL.';
    return { check, state: 'trouble', what: `cannot be reached: ${why}`, fix };
  }
}

async function examineMigrations(db: Database): Promise<Symptom> {
  const check = 'migrations';
  const areDone = await isMigrated(db).catch(() => false);
  if (areDone) return good(check, 'all have run');
  const fix = 'Start "homing serve" of this version; it runs them.';
  return { check, state: 'trouble', what: 'some have not run', fix };
}

async function examineClock(db: Database): Promise<Symptom> {
  const check = 'clock';
  const before = Date.now();
  const theirs = (await databaseTime(db)).getTime();
  const after = Date.now();
  const apartMs = Math.max(before - theirs, theirs - after, 0);
  const what = `${(apartMs / 1_000).toFixed(1)} s away from that of PostgreSQL`;
  if (apartMs <= TOLERABLE_CLOCK_MS) return good(check, what);
  return { check, state: 'trouble', what, fix: 'Set the clocks of both machines by NTP.' };
}

function sealSymptom({ total, unopened, otherwise }: SealCount): Symptom {
  const check = 'master key';
  if (unopened > 0) {
    const fix = 'Add the former master key to HOMING_MASTER_KEY_PREVIOUS.';
    return { check, state: 'trouble', what: `does not open ${unopened} of ${total} secrets`, fix };
  }
  if (otherwise > 0) {
    const what = `opens all ${total} secrets, ${otherwise} of them with a former key`;
    return { check, state: 'warning', what, fix: 'Run "homing rewrap".' };
  }
  return good(check, `opens all ${total} secrets`);
}

async function* examineReach({ providers }: Config): AsyncGenerator<Symptom> {
  const places = providerPlaces(providers);
  const answers = await Promise.all(places.map(({ url }) => whyOutOfReach(url, providers.ca)));
  for (const [index, { name, url }] of places.entries()) {
    const why = answers[index] ?? null;
    const check = `reach of ${name}`;
    const { host } = new URL(url);
    const fix = 'Let this machine reach it: name resolution, firewall, proxy, certificates.';
    if (why === null) yield good(check, host);
    else yield { check, state: 'warning', what: `${host}: ${why}`, fix };
  }
}

async function* examineCredentials(
  db: Database,
  inspection: CredentialInspection,
): AsyncGenerator<Symptom> {
  const credentials = await liveCredentials(db);
  if (credentials.length === 0) {
    const fix = 'Add one with POST /v1/app/credentials.';
    yield { check: 'credentials', state: 'warning', what: 'there are none', fix };
  }
  for (const credential of credentials) {
    const expiring = expirySymptom(credential);
    if (expiring !== null) yield expiring;
    const verification = await inspection.verifyStored(
      credential.ref,
      AbortSignal.timeout(VERIFY_MS),
    );
    yield* verificationSymptoms(credential, verification);
  }
}

function nameOf({ id, provider, project, name, appName }: LiveCredential): string {
  const called = name === '' ? project : name;
  return `credential ${provider} "${called}" of ${appName} (${formatTypedId('crd', id)})`;
}

function expirySymptom(credential: LiveCredential): Symptom | null {
  const { expiresAt } = credential;
  if (expiresAt === null) return null;
  const days = daysLeft(expiresAt, wallClock());
  if (days > EXPIRY_WARNINGS_DAYS[0]) return null;
  const state = days === 0 ? 'trouble' : 'warning';
  const what = days === 0 ? 'has expired' : `expires in ${days} days`;
  return { check: nameOf(credential), state, what, fix: 'Add a new one, and retire this one.' };
}

function* verificationSymptoms(
  credential: LiveCredential,
  verification: Verification | null,
): Generator<Symptom> {
  const check = nameOf(credential);
  // Retired meanwhile.
  if (verification === null) return;
  if (verification.findings.length === 0) yield good(check, 'its provider takes it');
  for (const { weight, meaning, field, answer, fix } of verification.findings) {
    // That nobody can be asked is nothing that anybody could mend.
    if (weight === 'notice' && !verification.wasAsked) {
      yield good(check, meaning);
      continue;
    }
    const where = field === null ? '' : `${field}: `;
    const said = answer === null ? '' : `; the provider said: ${answer}`;
    const state = weight === 'wrong' ? 'trouble' : 'warning';
    yield { check, state, what: `${where}${meaning}${said}`, fix };
  }
}

async function examineSending(db: Database): Promise<Symptom> {
  const check = 'workers';
  const { workers, waiting, oldestSeconds } = await sendingStanding(db);
  const age = `${waiting} pieces of work wait, the oldest for ${Math.round(oldestSeconds)} s`;
  const what = `${workers} at work; ${waiting === 0 ? 'nothing waits' : age}`;
  if (workers === 0) {
    const fix = 'Start "homing serve", or "homing serve --role worker".';
    return { check, state: waiting > 0 ? 'trouble' : 'warning', what, fix };
  }
  if (oldestSeconds <= LATE_SECONDS) return good(check, what);
  const fix = 'Look at the open alerts and the log of the workers; start more of them.';
  return { check, state: 'warning', what, fix };
}

async function examineAlerts(db: Database): Promise<Symptom> {
  const check = 'alerts';
  const open = await countOpenAlerts(db);
  if (open.length === 0) return good(check, 'none is open');
  const what = `open: ${open.map(({ kind, count }) => `${count} × ${kind}`).join(', ')}`;
  return { check, state: 'warning', what, fix: 'Read them at GET /v1/alerts?open=true.' };
}
