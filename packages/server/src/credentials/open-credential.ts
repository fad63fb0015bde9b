import type { ProviderName } from '../domain/address.ts';
import type { RateSetting } from '../domain/rate.ts';
import { findCredential, type CredentialRecord } from '../store/credentials.ts';
import type { Queryable } from '../store/sql.ts';
import type { Vault } from './sealing.ts';

/** A credential in the clear, for as long as it takes to open its provider. */
export interface OpenCredential {
  readonly ref: number;
  readonly id: string;
  readonly appRef: number;
  readonly provider: ProviderName;
  /** What the operator gave, public and secret parts together. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly rate: RateSetting;
  readonly revision: number;
}

/** Unseals a credential; null when it was retired. Throws when no known master key opens it. */
export async function openCredential(
  db: Queryable,
  vault: Vault,
  ref: number,
): Promise<OpenCredential | null> {
  const record = await findCredential(db, ref);
  if (record === null) return null;
  const plain = vault.open(record.sealedSecret, sealContext(record));
  const secret = JSON.parse(plain.toString('utf8'));
  plain.fill(0);
  const { id, appRef, provider, settings, ratePerMinute, rampSeconds, revision } = record;
  const rate = { perMinute: ratePerMinute, rampSeconds };
  return { ref, id, appRef, provider, settings: { ...settings, ...secret }, rate, revision };
}

/** What a credential's sealed secret is bound to. */
export function sealContext(credential: Pick<CredentialRecord, 'appRef' | 'id'>) {
  return { app: String(credential.appRef), kind: 'credential', row: credential.id } as const;
}
