import type { ApnsEnvironment, ProviderName } from '../domain/address.ts';
import { json, listOf, type Database, type Queryable, type Transaction } from './sql.ts';
import { inTransaction } from './transaction.ts';

/** What opens a provider, as stored: the secret half is sealed. */
export interface CredentialRecord {
  readonly ref: number;
  readonly appRef: number;
  /** UUID that sealed values are bound to. */
  readonly id: string;
  readonly provider: ProviderName;
  /** APNs: the team id; FCM: the project id; Web Push: the public key. */
  readonly project: string;
  readonly environments: readonly ApnsEnvironment[];
  readonly topics: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly sealedSecret: Buffer;
  /** Null for the provider's own figure; 0 lifts every limit. */
  readonly ratePerMinute: number | null;
  readonly rampSeconds: number | null;
  readonly stoppedReason: string | null;
  /** Counts the changes that workers have to follow. */
  readonly revision: number;
  /** When the provider stops taking it; null where it does not expire, or nobody can tell. */
  readonly expiresAt: Date | null;
}

export type NewCredential = Omit<CredentialRecord, 'ref' | 'stoppedReason' | 'revision'> & {
  readonly name: string;
};

const COLUMNS = `credential_ref as ref, app_ref as "appRef", id, provider, project, environments,
  topics, settings, sealed_secret as "sealedSecret", rate_per_minute as "ratePerMinute",
  ramp_seconds as "rampSeconds", stopped_reason as "stoppedReason", revision, expires_at as "expiresAt"`;

export async function insertCredential(
  tx: Transaction,
  credential: NewCredential,
): Promise<number> {
  const [row] = await tx<{ credential_ref: number }[]>`
    insert into credential
      (app_ref, id, provider, name, project, environments, topics, settings, sealed_secret,
        rate_per_minute, ramp_seconds, expires_at)
    values (${credential.appRef}, ${credential.id}, ${credential.provider}, ${credential.name},
      ${credential.project}, ${[...credential.environments]}, ${[...credential.topics]}, ${json(credential.settings)},
      ${credential.sealedSecret}, ${credential.ratePerMinute}, ${credential.rampSeconds},
      ${credential.expiresAt})
    returning credential_ref`;
  if (row === undefined) throw new Error('insert returned no credential');
  return row.credential_ref;
}

/**
 * The living credentials of an app, newest first: the newest one that fits an address serves it.
 */
export async function credentialsOfApp(
  db: Queryable,
  appRef: number,
): Promise<readonly CredentialRecord[]> {
  return db<CredentialRecord[]>`
    select ${db.unsafe(COLUMNS)} from credential
    where app_ref = ${appRef} and retired_at is null order by credential_ref desc`;
}

/**
 * The older credentials that serve nothing any more because this one serves all of it, newest
 * first: retired ones, and those with no topic or project of their own.
 */
export async function replacedCredentials(db: Queryable, ref: number): Promise<readonly number[]> {
  const rows = await db<{ ref: number }[]>`
    select old.credential_ref as ref
    from credential k join credential old using (app_ref, provider)
    where k.credential_ref = ${ref} and old.credential_ref < k.credential_ref
      and (k.provider not in ('fcm', 'webpush') or old.project = k.project)
      and (old.retired_at is not null or old.topics <@ k.topics)
    order by old.credential_ref desc`;
  return rows.map((row) => row.ref);
}

/** Null when it was retired. */
export async function findCredential(db: Queryable, ref: number): Promise<CredentialRecord | null> {
  const [row] = await db<CredentialRecord[]>`
    select ${db.unsafe(COLUMNS)} from credential
    where credential_ref = ${ref} and retired_at is null`;
  return row ?? null;
}

/** The revisions of credentials, without those that were retired. */
export async function credentialRevisions(
  db: Queryable,
  refs: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const rows = await db<{ ref: number; revision: number }[]>`
    select credential_ref as ref, revision from credential
    where credential_ref = any(${listOf(db, 'bigint', refs)}) and retired_at is null`;
  return new Map(rows.map(({ ref, revision }) => [ref, revision]));
}

export async function loadProviderToken(db: Queryable, ref: number): Promise<Buffer | null> {
  const [row] = await db<{ sealed: Buffer | null }[]>`
    select sealed_provider_token as sealed from credential where credential_ref = ${ref}`;
  return row?.sealed ?? null;
}

/**
 * Replaces the shared provider token while holding the credential's row lock. Asks for a new one
 * once at most, since providers punish those who ask often.
 */
export async function renewProviderToken(
  db: Database,
  ref: number,
  renew: (stored: Buffer | null) => Promise<Buffer>,
): Promise<Buffer> {
  const replace = async (tx: Transaction): Promise<Buffer> => {
    const [row] = await tx<{ sealed: Buffer | null }[]>`
      select sealed_provider_token as sealed from credential
      where credential_ref = ${ref} and retired_at is null for no key update`;
    // Nothing that opens a provider may come back into a row that was made to forget it.
    if (row === undefined) throw new Error(`credential ${ref} was retired`);
    const sealed = await renew(row.sealed);
    await tx`
      update credential set sealed_provider_token = ${sealed} where credential_ref = ${ref}`;
    return sealed;
  };
  return inTransaction(db, replace, { attempts: 1 });
}

/** Notes that a provider takes pushes with a credential, once a day. */
export async function noteAcceptance(tx: Transaction, ref: number, now: Date): Promise<void> {
  const today = now.toISOString().slice(0, 10);
  await tx`
    update credential set last_accepted_on = ${today}
    where credential_ref = ${ref} and last_accepted_on is distinct from ${today}`;
}

/** Records why a credential's lanes stand still, or that they go on; null if that is not new. */
export async function setCredentialStop(
  tx: Transaction,
  ref: number,
  reason: string | null,
  now: Date,
): Promise<Pick<CredentialRecord, 'appRef' | 'provider' | 'project'> | null> {
  const [row] = await tx<Pick<CredentialRecord, 'appRef' | 'provider' | 'project'>[]>`
    update credential
    set stopped_reason = ${reason}, stopped_at = ${reason === null ? null : now}
    where credential_ref = ${ref} and stopped_reason is distinct from ${reason}
    returning app_ref as "appRef", provider, project`;
  return row ?? null;
}
