import { LIMITS } from '../domain/limits.ts';
import type { Lane } from '../domain/notification.ts';
import type { LeasedChunk } from './chunks.ts';
import { listOf, type Queryable } from './sql.ts';

interface ChunkRow {
  readonly chunk_ref: number;
  readonly app_ref: number;
  readonly notification_ref: number;
  readonly day: string;
  readonly lane: Lane;
  readonly credential_ref: number | null;
  readonly installation_refs: number[] | null;
  readonly user_refs: number[];
  readonly cursor: string | null;
  readonly retry: boolean;
  readonly turn: number;
  readonly gated_through: number;
  readonly settled: number;
  readonly attempt: number;
}

export interface LeaseRequest {
  readonly owner: string;
  readonly lane: Lane;
  readonly limit: number;
  readonly leaseMs: number;
  readonly now: Date;
  /**
   * Credentials that can be used no more at the moment: left to others, or for later. What is only
   * resolved uses none, and is leased all the same.
   */
  readonly without: readonly number[];
  /** What several chunks wait for already: another one would only wait as well. */
  readonly crowded: Crowded;
  /** Whether also of notifications with a pace, of which most only wait. */
  readonly paced: boolean;
}

export interface Crowded {
  readonly notifications: readonly number[];
  readonly credentials: readonly number[];
}

/**
 * Takes chunks that nobody holds, so that every app with work has as many under way as any other:
 * first from the app that has the fewest, and of one app in line, where the chunks of a large
 * notification stand one after the other and those of later ones between them. One app's million
 * keeps neither another app's hundred waiting, nor its own.
 *
 * The lease runs on the database's clock, which all workers share; when work becomes available is
 * the application's time. Twice as many are looked for as are wanted, for what another worker takes
 * at the same moment is passed over.
 *
 * The apps that have chunks are found by steps through the index, a look for each, and so are the
 * first in line of each. With 100,000 chunks of 20 apps the statement reads 430 pages, all in
 * memory, in 2 ms; what it costs grows with the apps that have work and not with the chunks.
 * Rejected: a window over all chunks that wait, which reads each of them.
 */
export async function leaseChunks(
  db: Queryable,
  request: LeaseRequest,
): Promise<readonly LeasedChunk[]> {
  const { lane, limit, now, without, crowded, paced } = request;
  const rows = await db<ChunkRow[]>`
    with recursive app_with_work as (
      (select app_ref from chunk where lane = ${lane} order by app_ref limit 1)
      union all
      select (select c.app_ref from chunk c where c.lane = ${lane} and c.app_ref > a.app_ref
        order by c.app_ref limit 1)
      from app_with_work a where a.app_ref is not null
    ), first_in_line as (
      select head.chunk_ref, head.available_at,
        under_way.chunks + row_number() over (
          partition by a.app_ref order by head.turn, head.available_at, head.chunk_ref) as place
      from app_with_work a
        cross join lateral (
          select count(*) as chunks from chunk c
          where c.lane = ${lane} and c.app_ref = a.app_ref and c.lease_owner is not null
            and c.lease_until > clock_timestamp()
        ) under_way
        cross join lateral (
          select c.chunk_ref, c.turn, c.available_at from chunk c
          where c.lane = ${lane} and c.app_ref = a.app_ref and c.available_at <= ${now}
            and (c.lease_until is null or c.lease_until < clock_timestamp())
            and (c.credential_ref is null
              or c.credential_ref <> all(${listOf(db, 'bigint', without)})
                and c.notification_ref <> all(${listOf(db, 'bigint', crowded.notifications)})
                and c.credential_ref <> all(${listOf(db, 'bigint', crowded.credentials)})
                and (${paced} or not exists (
                  select from notification n where n.notification_ref = c.notification_ref
                    and n.pace_per_second is not null)))
          order by c.turn, c.available_at, c.chunk_ref limit ${2 * limit}
        ) head
    ), best as (
      select * from first_in_line order by place, available_at, chunk_ref limit ${2 * limit}
    ), candidate as (
      select c.chunk_ref from chunk c join best b using (chunk_ref)
      -- Says to the planner how few they are, who would read the whole table otherwise.
      where c.chunk_ref = any(array(select chunk_ref from best))
        and (c.lease_until is null or c.lease_until < clock_timestamp())
      order by b.place, b.available_at, b.chunk_ref
      limit ${limit}
      for update of c skip locked
    )
    update chunk c
    set lease_owner = ${request.owner}, attempt = c.attempt + 1,
      lease_until = clock_timestamp() + make_interval(secs => ${request.leaseMs / 1000})
    from candidate where c.chunk_ref = candidate.chunk_ref
    returning c.*`;
  return rows.map(toLeasedChunk).toSorted((a, b) => a.turn - b.turn || a.ref - b.ref);
}

/**
 * Takes chunks of a crowd that dead workers left behind, those first that have waited longest. They
 * would only wait as the others of their crowd do, and so take no place of those that are worked
 * on; how many a worker holds at all is the caller's limit. Reads only what is held, or was when
 * its worker died.
 */
export async function leaseLapsed(
  db: Queryable,
  { owner, lane, limit, leaseMs, without, crowded }: Omit<LeaseRequest, 'now' | 'paced'>,
): Promise<readonly LeasedChunk[]> {
  const rows = await db<ChunkRow[]>`
    with candidate as (
      select chunk_ref from chunk
      where lane = ${lane} and lease_owner is not null and lease_until < clock_timestamp()
        and credential_ref is not null and credential_ref <> all(${listOf(db, 'bigint', without)})
        and (notification_ref = any(${listOf(db, 'bigint', crowded.notifications)})
          or credential_ref = any(${listOf(db, 'bigint', crowded.credentials)}))
      order by lease_until limit ${limit}
      for update skip locked
    )
    update chunk c
    set lease_owner = ${owner}, attempt = c.attempt + 1,
      lease_until = clock_timestamp() + make_interval(secs => ${leaseMs / 1000})
    from candidate where c.chunk_ref = candidate.chunk_ref
    returning c.*`;
  return rows.map(toLeasedChunk);
}

/**
 * How many chunks of its notification and credential are held before one that nobody began: those
 * that were begun, and those before it in line. Counted are only those whose workers have prolonged
 * their leases lately: one whose worker died counts for not much longer than its heartbeats are
 * missed. Reads only what is held.
 */
export async function countAhead(db: Queryable, chunk: LeasedChunk): Promise<number> {
  const missedMs = LIMITS.leaseMs - LIMITS.heartbeatMs - LIMITS.heartbeatDelayMs;
  const [row] = await db<{ chunks: number }[]>`
    select count(*)::integer as chunks from chunk
    where lane = ${chunk.lane} and app_ref = ${chunk.appRef} and lease_owner is not null
      and notification_ref = ${chunk.notificationRef} and credential_ref = ${chunk.credentialRef}
      and lease_until > clock_timestamp() + make_interval(secs => ${missedMs / 1000})
      and (gated_through > 0 or settled > 0
        or (turn, chunk_ref) < (${chunk.turn}, ${chunk.ref}))`;
  return row?.chunks ?? 0;
}

/**
 * Prolongs leases; returns the chunks that are not ours any more. It waits for no row, or the one
 * whose settlement takes long would cost all others their leases. Whoever holds a row prolongs its
 * lease itself, so that nothing is said of that one.
 */
export async function heartbeat(
  db: Queryable,
  chunks: readonly LeasedChunk[],
  leaseMs: number,
): Promise<ReadonlySet<LeasedChunk>> {
  const rows = await db<{ position: number }[]>`
    with mine as (
      select * from unnest(${chunks.map((chunk) => chunk.ref)}::bigint[],
        ${chunks.map((chunk) => chunk.attempt)}::integer[])
        with ordinality as m (chunk_ref, attempt, position)
    ), free as (
      select c.chunk_ref, c.attempt, c.lease_until > clock_timestamp() as is_leased
      from chunk c join mine using (chunk_ref, attempt)
      for update of c skip locked
    ), prolonged as (
      update chunk c set lease_until = clock_timestamp() + make_interval(secs => ${leaseMs / 1000})
      from free where c.chunk_ref = free.chunk_ref and free.is_leased
    )
    select m.position from mine m left join chunk c using (chunk_ref, attempt)
    where c.chunk_ref is null or exists (
      select 1 from free f where f.chunk_ref = m.chunk_ref and f.attempt = m.attempt
        and f.is_leased is not true)`;
  const lost = new Set(rows.map(({ position }) => position));
  return new Set(chunks.filter((_, index) => lost.has(index + 1)));
}

function toLeasedChunk(row: ChunkRow): LeasedChunk {
  return {
    ref: row.chunk_ref,
    appRef: row.app_ref,
    notificationRef: row.notification_ref,
    day: row.day,
    lane: row.lane,
    credentialRef: row.credential_ref,
    installationRefs: row.installation_refs ?? [],
    userRefs: row.user_refs,
    cursor: row.cursor,
    retry: row.retry,
    turn: row.turn,
    gatedThrough: row.gated_through,
    settled: row.settled,
    attempt: row.attempt,
  };
}
