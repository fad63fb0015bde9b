import assert from 'node:assert';
import type { PublicKeyAlgorithm } from '../domain/identity-jwk.ts';
import { insertIdentityKey, type IdentityKey } from '../store/identity-keys.ts';
import type { Transaction } from '../store/sql.ts';
import type { SealContext, Vault } from './sealing.ts';

/** A key of a customer's back end, checked. */
export type NewIdentityKey =
  | {
      readonly keyId: string;
      readonly algorithm: PublicKeyAlgorithm;
      readonly publicJwk: Readonly<Record<string, unknown>>;
    }
  | { readonly keyId: string; readonly algorithm: 'HS256'; readonly secret: Buffer };

/**
 * Stores a key, a shared secret sealed. Vouches for users from the commit on. Null when the app
 * has, or had, another key of this id: an id that means two keys would confuse whoever rotates.
 */
export async function addIdentityKey(
  tx: Transaction,
  vault: Vault,
  appRef: number,
  key: NewIdentityKey,
  now: Date,
): Promise<number | null> {
  const { keyId, algorithm } = key;
  const isShared = key.algorithm === 'HS256';
  const sealedSecret = isShared ? vault.seal(key.secret, contextOf(appRef, keyId)) : null;
  const publicJwk = isShared ? null : key.publicJwk;
  return insertIdentityKey(tx, appRef, {
    keyId,
    algorithm,
    publicJwk,
    sealedSecret,
    createdAt: now,
  });
}

/** The shared secret of an HS256 key. */
export function openIdentitySecret(vault: Vault, appRef: number, key: IdentityKey): Buffer {
  assert(key.sealedSecret !== null);
  return vault.open(key.sealedSecret, contextOf(appRef, key.keyId));
}

function contextOf(appRef: number, keyId: string): SealContext {
  return { app: String(appRef), kind: 'identity_key', row: keyId };
}
