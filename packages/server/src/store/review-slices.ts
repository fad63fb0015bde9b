import {
  COUNTED_PLATFORMS,
  purgeCutoff,
  SAMPLES_PER_FINDING,
  silenceCutoffs,
  type PlatformFindings,
  type PurgeReason,
  type Review,
  type ReviewFindings,
} from '../domain/review.ts';
import { json, type Fragment, type Queryable, type Transaction } from './sql.ts';

/**
 * Some of an app's installations, by reference: neither counting nor applying ever reads a whole
 * table at once, and `installation` has no index on the last contact that every check-in would have
 * to keep.
 */
export interface ReviewSlice {
  readonly review: Review;
  /** References from here, exclusive. */
  readonly after: number;
  /** References up to here, inclusive. */
  readonly through: number;
}

/**
 * Dormant by the policy. The same words count and act, so that nothing is done which the review did
 * not show.
 */
const DORMANT = `(i.removed_at is null and i.dormant_since is null
  and i.last_seen_at < t.dormant_before
  and not (t.unless_accepted and coalesce(k.accepted_on >= t.dormant_before::date, false)))`;
const SILENT = `(i.removed_at is null and i.dormant_since is null
  and i.last_seen_at < t.warn_before and not ${DORMANT})`;
/**
 * Why an installation would be purged, or null. Part of every reason is that nothing of it has
 * changed for a year: not by contact, nor by anybody who signed it out or took its token.
 */
const PURGE_REASON = `(case
  when greatest(i.last_seen_at, i.updated_at) >= t.purge_before then null
  when i.removed_at is not null then case when i.forgotten_at is null then null else 'removed' end
  when i.token_status is null or i.token_status = 'retired' then 'retired'
  when exists (select 1 from link l
    where l.installation_ref = i.installation_ref and l.ended_at is null) then null
  else 'anonymous' end)`;

interface FindingsRow {
  readonly platform: string;
  readonly installations: number;
  readonly silent: number;
  readonly dormant: number;
  readonly dormant_accepting: number;
  readonly already_dormant: number;
  readonly retired: number;
  readonly anonymous: number;
  readonly removed: number;
  readonly silent_ids: readonly string[] | null;
  readonly dormant_ids: readonly string[] | null;
  readonly purge_ids: readonly string[] | null;
}

/** What the review finds in a slice. */
export async function countSlice(db: Queryable, slice: ReviewSlice): Promise<ReviewFindings> {
  const apart = [...COUNTED_PLATFORMS, ...Object.keys(slice.review.policy.platforms)];
  const rows = await db<FindingsRow[]>`
    with examined as (
      select i.installation_ref, i.id,
        case when coalesce(i.platform, 'unknown') = any(${apart})
          then coalesce(i.platform, 'unknown') else 'other' end as platform,
        i.removed_at is null as alive, i.dormant_since is not null as already_dormant,
        k.accepted_on >= i.last_seen_at::date as accepting,
        ${db.unsafe(SILENT)} as silent, ${db.unsafe(DORMANT)} as dormant,
        ${db.unsafe(PURGE_REASON)} as purge
      from ${examined(db, slice)}
    )
    select platform, count(*) filter (where alive) as installations,
      count(*) filter (where silent) as silent, count(*) filter (where dormant) as dormant,
      count(*) filter (where dormant and accepting) as dormant_accepting,
      count(*) filter (where already_dormant) as already_dormant,
      count(*) filter (where purge = 'retired') as retired,
      count(*) filter (where purge = 'anonymous') as anonymous,
      count(*) filter (where purge = 'removed') as removed,
      ${sampleIds(db, 'silent')} as silent_ids, ${sampleIds(db, 'dormant')} as dormant_ids,
      ${sampleIds(db, 'purge is not null')} as purge_ids
    from examined group by platform`;
  return Object.fromEntries(rows.map((row) => [row.platform, toFindings(row)]));
}

function sampleIds(db: Queryable, condition: string): Fragment {
  return db.unsafe(
    `(array_agg(id order by installation_ref) filter (where ${condition}))[1:${SAMPLES_PER_FINDING}]`,
  ) as Fragment;
}

function toFindings(row: FindingsRow): PlatformFindings {
  const { retired, anonymous, removed } = row;
  return {
    installations: row.installations,
    silent: row.silent,
    dormant: row.dormant,
    dormantAccepting: row.dormant_accepting,
    alreadyDormant: row.already_dormant,
    purge: { retired, anonymous, removed },
    samples: {
      silent: row.silent_ids ?? [],
      dormant: row.dormant_ids ?? [],
      purge: row.purge_ids ?? [],
    },
  };
}

/**
 * Makes dormant what the review counted and is still so: each row is looked at again under its
 * lock, so whoever returned meanwhile is left alone. It is no change by which `updated_at` moves,
 * since that would put a purge off for a year. Returns their references.
 */
export async function makeDormant(
  tx: Transaction,
  slice: ReviewSlice,
  now: Date,
): Promise<readonly number[]> {
  const rows = await tx<{ installation_ref: number }[]>`
    with due as (
      select i.installation_ref from ${examined(tx, slice)} and ${tx.unsafe(DORMANT)}
      order by i.installation_ref
      for update of i
    )
    update installation i set dormant_since = ${now}
    from due where due.installation_ref = i.installation_ref
    returning i.installation_ref`;
  return rows.map((row) => row.installation_ref).toSorted((a, b) => a - b);
}

export interface Purgeable {
  readonly ref: number;
  readonly reason: PurgeReason;
}

/** What of a slice is to be purged and still is, each row under its lock. */
export async function lockPurgeable(
  tx: Transaction,
  slice: ReviewSlice,
): Promise<readonly Purgeable[]> {
  return tx<Purgeable[]>`
    select i.installation_ref as ref, ${tx.unsafe(PURGE_REASON)} as reason
    from ${examined(tx, slice)} and ${tx.unsafe(PURGE_REASON)} is not null
    order by i.installation_ref
    for update of i`;
}

/**
 * Deletes installations with all that hangs on them. The ledger keeps their bare references, and
 * their events go with the month they are in.
 */
export async function purgeInstallations(tx: Transaction, refs: readonly number[]): Promise<void> {
  const all = [...refs];
  await tx`delete from topic_subscription where installation_ref = any(${all})`;
  await tx`delete from topic_mark where installation_ref = any(${all})`;
  await tx`delete from probe where installation_ref = any(${all})`;
  await tx`delete from purpose_token where installation_ref = any(${all})`;
  await tx`delete from acceptance where installation_ref = any(${all})`;
  await tx`delete from link where installation_ref = any(${all})`;
  await tx`delete from installation where installation_ref = any(${all})`;
}

/**
 * The installations `i` of a slice with their last acceptances `k` and the cutoffs `t` of their
 * platform; ends in a `where`.
 */
function examined(db: Queryable, { review, after, through }: ReviewSlice): Fragment {
  const cutoffs = silenceCutoffs(review.policy, review.createdAt).map((one) => ({
    platform: one.platform,
    warn_before: one.warnBefore,
    dormant_before: one.dormantBefore,
    unless_accepted: one.unlessAccepted,
    purge_before: purgeCutoff(review.createdAt),
  }));
  return db`installation i left join acceptance k using (installation_ref) cross join lateral (
      select * from jsonb_to_recordset(${json(cutoffs)}) as c (platform text,
        warn_before timestamptz, dormant_before timestamptz, unless_accepted boolean,
        purge_before timestamptz)
      where c.platform = i.platform or c.platform is null
      order by c.platform nulls last limit 1
    ) t
    where i.app_ref = ${review.appRef} and i.installation_ref > ${after}
      and i.installation_ref <= ${through}`;
}
