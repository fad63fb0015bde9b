import { Buffer } from 'node:buffer';
import type { AssertionKeys } from './access/assertion.ts';
import type { Vault } from './credentials/sealing.ts';
import type { CredentialFacts } from './domain/token-input.ts';
import { listIdentityKeys, type App } from './store/apps.ts';
import { credentialsOfApp } from './store/credentials.ts';
import type { Queryable } from './store/sql.ts';

/** What the HTTP routes ask about an app beyond its row. */
export interface AppReader {
  readonly keysOf: (app: App) => AssertionKeys;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

export function createAppReader(db: Queryable, vault: Vault): AppReader {
  return {
    keysOf: (app) => ({
      list: () => listIdentityKeys(db, app.ref),
      openSecret(key) {
        const context = { app: String(app.ref), kind: 'identity_key', row: key.keyId } as const;
        return vault.open(key.sealedSecret ?? Buffer.alloc(0), context);
      },
    }),
    credentialsOf: (app) => credentialsOfApp(db, app.ref),
  };
}
