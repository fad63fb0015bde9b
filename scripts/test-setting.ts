import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestDatabase } from './test-database.ts';

/**
 * Starts the PostgreSQL that tests use, for a command that runs tests in its own process; until it
 * is disposed this process's environment leads to it.
 */
export async function openTestSetting(): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const scratchDirectory = await mkdtemp(join(tmpdir(), 'homing-test-run-'));
  stack.defer(() => rm(scratchDirectory, { recursive: true, force: true }));
  const database = stack.use(await openTestDatabase(scratchDirectory));
  Object.assign(process.env, database.environment);
  return stack.move();
}
