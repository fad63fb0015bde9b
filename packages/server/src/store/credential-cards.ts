import type { ApnsEnvironment, ProviderName } from '../domain/address.ts';
import type { Queryable, Transaction } from './sql.ts';

/** A credential as its owner sees it: without anything that is sealed. */
export interface CredentialCard {
  readonly ref: number;
  /** UUID; customers see it as `crd_…`. */
  readonly id: string;
  readonly provider: ProviderName;
  readonly name: string;
  readonly project: string;
  readonly environments: readonly ApnsEnvironment[];
  readonly topics: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
  /** Null for the provider's own figure; 0 lifts every limit. */
  readonly ratePerMinute: number | null;
  readonly rampSeconds: number | null;
  readonly stoppedReason: string | null;
  readonly stoppedAt: Date | null;
  readonly createdAt: Date;
  readonly retiredAt: Date | null;
  readonly expiresAt: Date | null;
  readonly verifiedAt: Date | null;
  /** The day on which its provider last took a push, `YYYY-MM-DD`. */
  readonly lastAcceptedOn: string | null;
}

const COLUMNS = `credential_ref as ref, id, provider, name, project, environments, topics, settings,
  rate_per_minute as "ratePerMinute", ramp_seconds as "rampSeconds",
  stopped_reason as "stoppedReason", stopped_at as "stoppedAt", created_at as "createdAt",
  retired_at as "retiredAt", expires_at as "expiresAt", verified_at as "verifiedAt",
  last_accepted_on as "lastAcceptedOn"`;

/** A page of an app's credentials, newest first, retired ones included. */
export async function listCredentialCards(
  db: Queryable,
  appRef: number,
  { before, limit }: { readonly before: number | null; readonly limit: number },
): Promise<readonly CredentialCard[]> {
  return db<CredentialCard[]>`
    select ${db.unsafe(COLUMNS)} from credential
    where app_ref = ${appRef} ${before === null ? db`` : db`and credential_ref < ${before}`}
    order by credential_ref desc limit ${limit}`;
}

/** Null when the app has no such credential. */
export async function findCredentialCard(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<CredentialCard | null> {
  const [row] = await db<CredentialCard[]>`
    select ${db.unsafe(COLUMNS)} from credential where app_ref = ${appRef} and id = ${id}`;
  return row ?? null;
}

export async function countLiveCredentials(tx: Transaction, appRef: number): Promise<number> {
  const [row] = await tx<{ count: number }[]>`
    select count(*) as count from credential where app_ref = ${appRef} and retired_at is null`;
  return row?.count ?? 0;
}

/** What of a credential may be changed in its place. */
export type CredentialPatch = Pick<CredentialCard, 'name' | 'ratePerMinute' | 'rampSeconds'>;

/** Overwrites what the patch names; null when the app has no such credential in use. */
export async function updateCredential(
  tx: Transaction,
  appRef: number,
  id: string,
  patch: Partial<CredentialPatch>,
): Promise<CredentialCard | null> {
  const { name, ratePerMinute, rampSeconds } = patch;
  // Workers open a credential anew for each revision, and a name is nothing to them.
  const isForWorkers = ratePerMinute !== undefined || rampSeconds !== undefined;
  const [row] = await tx<CredentialCard[]>`
    update credential set
      name = ${name === undefined ? tx`name` : name},
      rate_per_minute = ${ratePerMinute === undefined ? tx`rate_per_minute` : ratePerMinute},
      ramp_seconds = ${rampSeconds === undefined ? tx`ramp_seconds` : rampSeconds},
      revision = revision + ${isForWorkers ? 1 : 0}
    where app_ref = ${appRef} and id = ${id} and retired_at is null
    returning ${tx.unsafe(COLUMNS)}`;
  return row ?? null;
}

/**
 * Ends a credential for good and forgets its secret and its provider token; null when the app has
 * no such credential that is not retired.
 */
export async function retireCredential(
  tx: Transaction,
  appRef: number,
  id: string,
  now: Date,
): Promise<CredentialCard | null> {
  const [row] = await tx<CredentialCard[]>`
    update credential set retired_at = ${now}, sealed_secret = '', sealed_provider_token = null
    where app_ref = ${appRef} and id = ${id} and retired_at is null
    returning ${tx.unsafe(COLUMNS)}`;
  return row ?? null;
}

/** Notes that the provider took a credential when it was asked. */
export async function noteVerification(db: Queryable, ref: number, now: Date): Promise<void> {
  await db`update credential set verified_at = ${now} where credential_ref = ${ref}`;
}
