import type { ApnsAddress } from '../domain/address.ts';
import type { TokenStatus } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Purpose, PurposeTarget } from '../domain/purpose.ts';
import { lockExclusively } from './advisory-lock.ts';
import { json, type Queryable, type Transaction } from './sql.ts';

/** Where a purpose token stands: the key of its row. */
export interface PurposeTokenPlace {
  readonly installationRef: number;
  readonly purpose: Purpose;
  /** Empty for purposes that know no activities. */
  readonly activityId: string;
}

export interface PurposeTokenRecord extends PurposeTokenPlace {
  readonly environment: string;
  readonly topic: string;
  /** Empty once the token is retired. */
  readonly token: string;
  readonly addressKey: Buffer;
  readonly status: TokenStatus;
  readonly seq: number | null;
  readonly updatedAt: Date;
}

const COLUMNS = `installation_ref as "installationRef", purpose, activity_id as "activityId",
  environment, topic, token, address_key as "addressKey", token_status as status, seq,
  updated_at as "updatedAt"`;

/** Null when nothing was ever reported for this place, or when it was forgotten. */
export async function findPurposeToken(
  db: Queryable,
  place: PurposeTokenPlace,
): Promise<PurposeTokenRecord | null> {
  const [row] = await db<PurposeTokenRecord[]>`
    select ${db.unsafe(COLUMNS)} from purpose_token
    where installation_ref = ${place.installationRef} and purpose = ${place.purpose}
      and activity_id = ${place.activityId}`;
  return row ?? null;
}

/** The tokens in use on some installations. */
export async function purposeTokensOf(
  db: Queryable,
  installationRefs: readonly number[],
): Promise<readonly PurposeTokenRecord[]> {
  return db<PurposeTokenRecord[]>`
    select ${db.unsafe(COLUMNS)} from purpose_token
    where installation_ref = any(${[...installationRefs]}) and token_status <> 'retired'
    order by installation_ref, purpose, activity_id`;
}

/**
 * Makes claims of the same address wait for each other until the transaction ends. Two
 * installations that report one token for the first time have no row yet that either could lock.
 */
export async function lockPurposeAddress(tx: Transaction, addressKey: Buffer): Promise<void> {
  await lockExclusively(tx, { purpose: 'purposeAddress', name: addressKey.toString('hex') });
}

/**
 * Retires whoever else holds an address and returns the installations that lost it. A statement of
 * its own, before the winner's: in one statement the unique index would see both rows. Digest and
 * sequence stay, so that a late repetition of the loser's report is recognised and does not win it
 * back.
 */
export async function releasePurposeAddress(
  tx: Transaction,
  appRef: number,
  addressKey: Buffer,
  winner: PurposeTokenPlace,
  now: Date,
): Promise<readonly number[]> {
  const rows = await tx<{ installation_ref: number }[]>`
    update purpose_token
    set token_status = 'retired', token = '', holder_version = holder_version + 1,
      updated_at = ${now}
    where app_ref = ${appRef} and address_key = ${addressKey} and token_status <> 'retired'
      and (installation_ref, purpose, activity_id)
        <> (${winner.installationRef}, ${winner.purpose}, ${winner.activityId})
    returning installation_ref`;
  return rows.map((row) => row.installation_ref);
}

/** What a place holds from now on. */
export interface PurposeTokenWrite {
  /** Null ends the token and leaves a tombstone, which outranks reports from before. */
  readonly address: ApnsAddress | null;
  readonly key: Buffer;
  /** Null leaves the sequence where it is. */
  readonly seq: number | null;
}

export async function writePurposeToken(
  tx: Transaction,
  appRef: number,
  place: PurposeTokenPlace,
  write: PurposeTokenWrite,
  now: Date,
): Promise<void> {
  const { address, key, seq } = write;
  await tx`
    insert into purpose_token (installation_ref, app_ref, purpose, activity_id, environment, topic,
      token, address_key, token_status, seq, updated_at)
    values (${place.installationRef}, ${appRef}, ${place.purpose}, ${place.activityId},
      ${address?.environment ?? ''}, ${address?.topic ?? ''}, ${address?.token ?? ''}, ${key},
      ${address === null ? 'retired' : 'live'}, ${seq}, ${now})
    on conflict (installation_ref, purpose, activity_id) do update set
      environment = excluded.environment, topic = excluded.topic, token = excluded.token,
      address_key = excluded.address_key, token_status = excluded.token_status,
      seq = coalesce(excluded.seq, purpose_token.seq),
      holder_version = purpose_token.holder_version + 1, updated_at = excluded.updated_at`;
}

/**
 * Ends all tokens of some installations, each at its own time. Digests and sequences stay, so that
 * a report from before the end is recognised when it comes late.
 */
export async function retirePurposeTokens(
  tx: Transaction,
  ended: readonly { readonly installationRef: number; readonly at: Date }[],
): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map(({ installationRef, at }) => ({ i: installationRef, at }));
  const retired = await tx<{ installation_ref: number }[]>`
    update purpose_token t
    set token_status = 'retired', token = '', holder_version = holder_version + 1,
      updated_at = e.at
    from (
      select distinct on (i) i, at
      from jsonb_to_recordset(${json(rows)}) as r (i bigint, at timestamptz)
    ) e
    where t.installation_ref = e.i and t.token_status <> 'retired'
    returning t.installation_ref`.execute();
  if (retired.length === 0) return;
  const refs = retired.map((row) => row.installation_ref);
  await forgetRetiredPurposeTokens(tx, refs, LIMITS.purposeTokensPerInstallation);
}

/** Forgets the oldest tombstones of each installation beyond a number of them. */
export async function forgetRetiredPurposeTokens(
  tx: Transaction,
  installationRefs: readonly number[],
  keep: number,
): Promise<void> {
  await tx`
    delete from purpose_token
    where (installation_ref, purpose, activity_id) in (
      select installation_ref, purpose, activity_id from (
        select installation_ref, purpose, activity_id, row_number() over (
          partition by installation_ref order by updated_at desc, activity_id) as position
        from purpose_token
        where installation_ref = any(${[...installationRefs]}) and token_status = 'retired'
      ) retired where position > ${keep})`;
}

/** A token for a purpose that a provider refused for good. */
export interface RefusedPurposeToken {
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly code: string;
  readonly status: 'retired' | 'quarantined';
  /** The device's word from then on refutes it. */
  readonly since: Date;
}

export interface TakenPurposeToken {
  readonly installationRef: number;
  readonly token: string;
  readonly status: 'retired' | 'quarantined';
  readonly code: string;
}

/**
 * Takes refused tokens of one purpose out of use, unless they were replaced or reported since. The
 * digest and the sequence stay, as with every token that has ended.
 */
export async function takePurposeTokens(
  tx: Transaction,
  purpose: PurposeTarget,
  tokens: readonly RefusedPurposeToken[],
  now: Date,
): Promise<readonly TakenPurposeToken[]> {
  if (tokens.length === 0) return [];
  const rows = tokens.map(({ installationRef, holderVersion, code, status, since }) => ({
    i: installationRef,
    v: holderVersion,
    code,
    status,
    since,
  }));
  return tx<TakenPurposeToken[]>`
    with refused as (
      select t.installation_ref, t.token, f.status, f.code
      from jsonb_to_recordset(${json(rows)}) as
          f (i bigint, v bigint, code text, status text, since timestamptz)
        join purpose_token t on t.installation_ref = f.i and t.holder_version = f.v
      where t.purpose = ${purpose.name} and t.activity_id = ${purpose.activityId}
        and t.token_status = 'live' and t.updated_at < f.since
      order by t.installation_ref for no key update of t
    )
    update purpose_token t
    set token_status = r.status, updated_at = ${now}, holder_version = t.holder_version + 1,
      token = case when r.status = 'retired' then '' else t.token end
    from refused r
    where t.installation_ref = r.installation_ref and t.purpose = ${purpose.name}
      and t.activity_id = ${purpose.activityId}
    returning r.installation_ref as "installationRef", r.token, r.status, r.code`;
}
