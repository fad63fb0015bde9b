import { loadProviderToken, renewProviderToken } from '../store/credentials.ts';
import type { Database } from '../store/sql.ts';
import type { OpenCredential } from './open-credential.ts';
import { SealError, type SealContext, type Vault } from './sealing.ts';

interface SharedToken {
  readonly value: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/**
 * The provider token of a credential, shared by all processes through its row and sealed there:
 * whoever renews it holds the row's lock, so two processes never sign their own.
 */
export function createSharedTokenStore(
  db: Database,
  vault: Vault,
  { ref, id, appRef }: Pick<OpenCredential, 'ref' | 'id' | 'appRef'>,
) {
  // It lives as long as the provider, so it must not hold on to the secrets of the credential.
  const context = { app: String(appRef), kind: 'provider_token', row: id } as const;
  const unseal = (sealed: Buffer | null): SharedToken | null => {
    const plain = sealed === null ? null : openOrForget(vault, sealed, context);
    if (plain === null) return null;
    const token = JSON.parse(plain.toString('utf8'));
    plain.fill(0);
    return {
      value: token.value,
      issuedAt: new Date(token.issuedAt),
      expiresAt: new Date(token.expiresAt),
    };
  };
  return {
    async load(): Promise<SharedToken | null> {
      return unseal(await loadProviderToken(db, ref));
    },
    async renew(mint: (stored: SharedToken | null) => Promise<SharedToken>): Promise<SharedToken> {
      let minted: SharedToken | null = null;
      const sealed = await renewProviderToken(db, ref, async (stored) => {
        minted = await mint(unseal(stored));
        const plain = Buffer.from(JSON.stringify(minted));
        const sealedToken = vault.seal(plain, context);
        plain.fill(0);
        return sealedToken;
      });
      return minted ?? unseal(sealed) ?? Promise.reject(new Error('no provider token was minted'));
    },
  };
}

/** A token that no known master key opens is as good as none: another one is made in its place. */
function openOrForget(vault: Vault, sealed: Buffer, context: SealContext): Buffer | null {
  try {
    return vault.open(sealed, context);
  } catch (error) {
    if (error instanceof SealError) return null;
    throw error;
  }
}
