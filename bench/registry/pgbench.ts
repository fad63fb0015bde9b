import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LocalPostgres } from '@homing/local-postgres';
import type { Tool } from '../tool.ts';
import type { Load } from './load.ts';

/** In Debian the program comes with the server, only its wrapper with the client. */
export const PGBENCH: Tool = {
  command: 'pgbench',
  versionArgs: ['--version'],
  packageName: 'postgresql',
};

export interface PgbenchRun {
  readonly transactions: number;
  readonly seconds: number;
}

const SCRIPT = fileURLToPath(new URL('guarded-upsert.sql', import.meta.url));

/** One guarded upsert per transaction over as many connections as the load on ours has. */
export async function runPgbench(
  server: LocalPostgres,
  scale: { readonly appRef: number; readonly rows: number },
  load: Load,
): Promise<PgbenchRun> {
  const target = ['-h', server.socketDirectory, '-p', String(server.port), '-U', 'postgres'];
  const variables = ['-D', `app=${scale.appRef}`, '-D', `rows=${scale.rows}`];
  const work = ['-c', String(load.connections), '-j', '2', '-T', String(load.seconds)];
  const args = ['-M', 'prepared', '-n', '-f', SCRIPT, ...variables, ...work, ...target, 'homing'];
  const startedAtMs = performance.now();
  const { stdout } = await promisify(execFile)('pgbench', args, { signal: load.interruption });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const transactions = Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1] ?? 0);
  const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1] ?? 0);
  const failed = Number(/failed transactions: (\d+)/.exec(stdout)?.[1] ?? 0);
  if (transactions === 0 || rate === 0 || failed > 0) {
    throw new Error(`pgbench did not do its work in ${seconds.toFixed(1)} s:\n${stdout}`);
  }
  // Its own rate leaves out the time it took to connect, in its favour.
  return { transactions, seconds: transactions / rate };
}
