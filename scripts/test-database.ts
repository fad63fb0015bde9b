import { join } from 'node:path';
import { startLocalPostgres } from '@homing/local-postgres';

/** The PostgreSQL server of a test run, as the environment that leads the test files to it. */
export interface TestDatabase extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Settings that trade every durability for speed: a test's data is worth nothing after a crash.
 * Tests of durability itself start servers of their own.
 */
const THROW_AWAY_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  // A vacuum that looks at the template at the wrong moment makes cloning it wait.
  autovacuum: 'off',
};

/**
 * Starts one server for all test files, with its data below a directory that the caller removes.
 * When HOMING_TEST_DATABASE_URL is set, that server is used and nothing is started.
 */
export async function openTestDatabase(directory: string): Promise<TestDatabase> {
  const given = process.env['HOMING_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    return {
      environment: { HOMING_TEST_DATABASE_URL: given },
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const server = await startLocalPostgres({
    directory: join(directory, 'postgres'),
    settings: THROW_AWAY_SETTINGS,
    binDirectory: process.env['HOMING_PG_BIN'] ?? null,
  });
  return {
    // The developer's own PGPORT would override the port that the URL leaves out.
    environment: { HOMING_TEST_DATABASE_URL: server.url, PGPORT: String(server.port) },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
