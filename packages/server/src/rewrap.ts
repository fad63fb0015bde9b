import type { Config } from './config/config.ts';
import type { Secrets } from './config/secrets.ts';
import { rewrap, type RewrapProgress } from './credentials/rewrap.ts';
import { createVault } from './credentials/sealing.ts';
import { openDatabase } from './store/sql.ts';

/** Part of the composition root: a rewrap of the database that a configuration names. */
export async function* rewrapSecrets(
  { database: { url } }: Pick<Config, 'database'>,
  { masterKey, otherMasterKeys = [] }: Secrets,
): AsyncGenerator<RewrapProgress> {
  const db = openDatabase({ url, maxConnections: 4, applicationName: 'homing rewrap' });
  try {
    yield* rewrap(db, createVault(masterKey, otherMasterKeys));
  } finally {
    await db.end({ timeout: 5 });
  }
}
