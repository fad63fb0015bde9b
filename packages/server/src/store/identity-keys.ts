import type { AssertionAlgorithm } from '../domain/identity-jwk.ts';
import { json, type Queryable, type Transaction } from './sql.ts';

/** A key that vouches for an app's users; the shared secret of HS256 is sealed. */
export interface IdentityKey {
  readonly ref: number;
  readonly keyId: string;
  readonly algorithm: AssertionAlgorithm;
  readonly publicJwk: Readonly<Record<string, unknown>> | null;
  readonly sealedSecret: Buffer | null;
  readonly createdAt: Date;
}

/** The live keys of an app, the newest first, with those that were retired after an instant. */
export async function listIdentityKeys(
  db: Queryable,
  appRef: number,
  retiredAfter: Date | null = null,
): Promise<readonly IdentityKey[]> {
  return db<IdentityKey[]>`
    select identity_key_ref as ref, key_id as "keyId", algorithm, public_jwk as "publicJwk",
      sealed_secret as "sealedSecret", created_at as "createdAt"
    from identity_key
    where app_ref = ${appRef} and (retired_at is null or retired_at > ${retiredAfter})
    order by identity_key_ref desc`;
}

/** Its reference, or null when the app has, or had, another key of this id. */
export async function insertIdentityKey(
  tx: Transaction,
  appRef: number,
  key: Omit<IdentityKey, 'ref'>,
): Promise<number | null> {
  const jwk = key.publicJwk === null ? null : json(key.publicJwk);
  const [row] = await tx<{ ref: number }[]>`
    insert into identity_key (app_ref, key_id, algorithm, public_jwk, sealed_secret, created_at)
    values (${appRef}, ${key.keyId}, ${key.algorithm}, ${jwk}, ${key.sealedSecret},
      ${key.createdAt})
    on conflict do nothing returning identity_key_ref as ref`;
  return row?.ref ?? null;
}

/** Ends a live key, and returns its reference; null when the app has no live key of this id. */
export async function retireIdentityKey(
  tx: Transaction,
  appRef: number,
  keyId: string,
  now: Date,
): Promise<number | null> {
  const [row] = await tx<{ ref: number }[]>`
    update identity_key set retired_at = ${now}
    where app_ref = ${appRef} and key_id = ${keyId} and retired_at is null
    returning identity_key_ref as ref`;
  return row?.ref ?? null;
}

/** Ends the live keys of HS256, and returns their references. */
export async function retireSharedSecrets(
  tx: Transaction,
  appRef: number,
  now: Date,
): Promise<readonly number[]> {
  const rows = await tx<{ ref: number }[]>`
    update identity_key set retired_at = ${now}
    where app_ref = ${appRef} and algorithm = 'HS256' and retired_at is null
    returning identity_key_ref as ref`;
  return rows.map(({ ref }) => ref);
}
