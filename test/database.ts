import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalPostgres } from '@homing/local-postgres';
import postgres from 'postgres';
import { migrate } from '../packages/server/src/store/migrate.ts';
import { openDatabase } from '../packages/server/src/store/sql.ts';

/** A migrated database of one test file's own. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

const MIGRATIONS = new URL('../packages/server/src/store/migrations/', import.meta.url);
/** Any constant serves: it keeps two test files from making the template at once. */
const TEMPLATE_LOCK = 7_467_900;

/**
 * Clones a database from a migrated template, on the server that `npm test` prepared, or on one of
 * its own when a test file runs alone.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  await using cleanUp = new AsyncDisposableStack();
  const serverUrl = process.env['HOMING_TEST_DATABASE_URL'] ?? (await ownServer(cleanUp));
  const admin = cleanUp.adopt(postgres(serverUrl, { max: 1, onnotice: () => {} }), (sql) =>
    sql.end({ timeout: 5 }),
  );
  const template = await ensureTemplate(admin, serverUrl);
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await admin.unsafe(`create database ${name} template ${template}`);
  cleanUp.defer(async () => {
    await admin.unsafe(`drop database if exists ${name} with (force)`);
  });
  const owned = cleanUp.move();
  return {
    url: databaseUrl(serverUrl, name),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function ownServer(cleanUp: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'homing-test-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const server = cleanUp.use(
    await startLocalPostgres({ directory, settings: { fsync: 'off', synchronous_commit: 'off' } }),
  );
  return server.url;
}

/** Named by the migrations' content, so that an edited migration gets a template of its own. */
async function ensureTemplate(admin: postgres.Sql, serverUrl: string): Promise<string> {
  const files = (await readdir(MIGRATIONS)).toSorted();
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(new URL(file, MIGRATIONS)));
  const name = `template_${hash.digest('hex').slice(0, 16)}`;
  await admin`select pg_advisory_lock(${TEMPLATE_LOCK})`;
  try {
    const [known] = await admin`select 1 from pg_database where datname = ${name}`;
    if (known !== undefined) return name;
    const draft = `${name}_draft`;
    await admin.unsafe(`drop database if exists ${draft} with (force)`);
    await admin.unsafe(`create database ${draft}`);
    const url = databaseUrl(serverUrl, draft);
    const db = openDatabase({ url, maxConnections: 1, applicationName: 'template' });
    await migrate(db);
    await db.end();
    await admin.unsafe(`alter database ${draft} rename to ${name}`);
    return name;
  } finally {
    await admin`select pg_advisory_unlock(${TEMPLATE_LOCK})`;
  }
}

function databaseUrl(serverUrl: string, database: string): string {
  return serverUrl.replace(/\/[^/?]*(\?|$)/, `/${database}$1`);
}
