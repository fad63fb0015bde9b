import { loadProviderToken, renewProviderToken } from '../store/credentials.ts';
import type { Database } from '../store/sql.ts';
import type { OpenCredential } from './open-credential.ts';
import type { Vault } from './sealing.ts';

interface SharedToken {
  readonly value: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/**
 * The provider token of a credential, shared by all processes through its row and sealed there:
 * whoever renews it holds the row's lock, so two processes never sign their own.
 */
export function createSharedTokenStore(db: Database, vault: Vault, credential: OpenCredential) {
  const context = {
    app: String(credential.appRef),
    kind: 'provider_token',
    row: credential.id,
  } as const;
  const unseal = (sealed: Buffer | null): SharedToken | null => {
    if (sealed === null) return null;
    const token = JSON.parse(vault.open(sealed, context).toString('utf8'));
    return {
      value: token.value,
      issuedAt: new Date(token.issuedAt),
      expiresAt: new Date(token.expiresAt),
    };
  };
  return {
    async load(): Promise<SharedToken | null> {
      return unseal(await loadProviderToken(db, credential.ref));
    },
    async renew(mint: (stored: SharedToken | null) => Promise<SharedToken>): Promise<SharedToken> {
      let minted: SharedToken | null = null;
      const sealed = await renewProviderToken(db, credential.ref, async (stored) => {
        minted = await mint(unseal(stored));
        return vault.seal(Buffer.from(JSON.stringify(minted)), context);
      });
      return minted ?? unseal(sealed) ?? Promise.reject(new Error('no provider token was minted'));
    },
  };
}
