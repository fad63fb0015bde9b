import { isMigrated } from './store/migrate.ts';
import type { Database } from './store/sql.ts';

/** Why a process cannot do its work at the moment; null when it can. */
export async function notReady(db: Database, isDraining: boolean): Promise<string | null> {
  if (isDraining) return 'the process is shutting down';
  try {
    return (await isMigrated(db)) ? null : 'migrations are missing';
  } catch {
    return 'the database is not available';
  }
}
