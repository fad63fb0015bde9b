import { randomUUID } from 'node:crypto';
import type { ApnsEnvironment, ProviderName } from '../domain/address.ts';
import type { RateSetting } from '../domain/rate.ts';
import { insertCredential, type NewCredential } from '../store/credentials.ts';
import type { Transaction } from '../store/sql.ts';
import { sealContext } from './open-credential.ts';
import type { Vault } from './sealing.ts';

/** A provider credential as an operator gives it, checked by the provider's own settings parser. */
export interface NewProviderCredential {
  readonly appRef: number;
  readonly provider: ProviderName;
  readonly project: string;
  readonly environments: readonly ApnsEnvironment[];
  readonly topics: readonly string[];
  /** What may be shown. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What is sealed. */
  readonly secret: Readonly<Record<string, unknown>>;
  /** When the provider stops taking it; null, or left out, where nobody can tell. */
  readonly expiresAt?: Date | null;
  /** For people. */
  readonly name?: string;
  /** How fast it may be used; the provider's own figures when left out. */
  readonly rate?: RateSetting;
}

/** A credential with its secret sealed, ready to be stored. */
export type SealedCredential = NewCredential;

/**
 * Seals a credential for its app. To be done before a transaction begins: the database driver keeps
 * what the first transaction of its kind has seen, for as long as the process lives.
 */
export function sealCredential(vault: Vault, credential: NewProviderCredential): SealedCredential {
  const id = randomUUID();
  const { secret, rate, name = '', expiresAt = null, ...open } = credential;
  const context = sealContext({ appRef: credential.appRef, id });
  const plain = Buffer.from(JSON.stringify(secret));
  const sealedSecret = vault.seal(plain, context);
  plain.fill(0);
  const { perMinute: ratePerMinute = null, rampSeconds = null } = rate ?? {};
  return { ...open, id, name, expiresAt, sealedSecret, ratePerMinute, rampSeconds };
}

/** Stores a credential that came with its app; it serves its addresses from the next lease on. */
export async function addCredential(
  tx: Transaction,
  vault: Vault,
  credential: NewProviderCredential,
): Promise<number> {
  return insertCredential(tx, sealCredential(vault, credential));
}
