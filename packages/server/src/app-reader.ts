import { createIdentityKeyBook, type IdentityKeyBook } from './access/identity-key-book.ts';
import { KeySetBook } from './access/key-set-book.ts';
import { openIdentitySecret } from './credentials/identity-key.ts';
import type { Vault } from './credentials/sealing.ts';
import type { Clock } from './domain/clock.ts';
import { LIMITS } from './domain/limits.ts';
import type { CredentialFacts } from './domain/token-input.ts';
import type { DocumentClient } from './outbound/document-client.ts';
import type { App } from './store/apps.ts';
import { credentialsOfApp } from './store/credentials.ts';
import type { Queryable } from './store/sql.ts';

/** What the HTTP routes ask about an app beyond its row. */
export interface AppReader {
  readonly identityKeys: IdentityKeyBook;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

export interface AppReaderOptions {
  readonly db: Queryable;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly documents: DocumentClient;
  readonly keySetFailed: (appRef: number, why: string) => void;
}

export function createAppReader(options: AppReaderOptions): AppReader {
  const { db, vault, clock, documents, keySetFailed } = options;
  return {
    identityKeys: createIdentityKeyBook({
      db,
      clock,
      openSecret: (appRef, key) => openIdentitySecret(vault, appRef, key),
      keySets: new KeySetBook({
        fetchKeySet: (url) => documents.fetch(url, LIMITS.keySetBytes),
        clock,
        onFailure: keySetFailed,
      }),
    }),
    credentialsOf: (app) => credentialsOfApp(db, app.ref),
  };
}
