import type { Lane } from '../domain/notification.ts';
import type { Database, Queryable, Transaction } from './sql.ts';

/** A chunk that this worker holds, for as long as its lease lasts. */
export interface LeasedChunk {
  readonly ref: number;
  readonly appRef: number;
  readonly notificationRef: number;
  readonly day: string;
  readonly lane: Lane;
  /** Null while named users or installations are not resolved yet. */
  readonly credentialRef: number | null;
  readonly installationRefs: readonly number[];
  /** Parallel to the installations once resolved; empty where the content is not user-bound. */
  readonly userRefs: readonly number[];
  readonly retry: boolean;
  /** Deliveries up to here were checked before; those without a record may have been sent. */
  readonly gatedThrough: number;
  readonly settled: number;
  /** Fencing token. */
  readonly attempt: number;
}

interface ChunkRow {
  readonly chunk_ref: number;
  readonly app_ref: number;
  readonly notification_ref: number;
  readonly day: string;
  readonly lane: Lane;
  readonly credential_ref: number | null;
  readonly installation_refs: number[] | null;
  readonly user_refs: number[];
  readonly retry: boolean;
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
}

/**
 * Takes chunks that nobody holds, oldest first. The lease runs on the database's clock, which all
 * workers share; when work becomes available is the application's time.
 */
export async function leaseChunks(
  db: Queryable,
  request: LeaseRequest,
): Promise<readonly LeasedChunk[]> {
  const rows = await db<ChunkRow[]>`
    with candidate as (
      select chunk_ref from chunk
      where lane = ${request.lane} and available_at <= ${request.now}
        and (lease_until is null or lease_until < clock_timestamp())
      order by available_at, chunk_ref
      limit ${request.limit}
      for update skip locked
    )
    update chunk c
    set lease_owner = ${request.owner}, attempt = c.attempt + 1,
      lease_until = clock_timestamp() + make_interval(secs => ${request.leaseMs / 1000})
    from candidate where c.chunk_ref = candidate.chunk_ref
    returning c.*`;
  return rows.map(toLeasedChunk).toSorted((a, b) => a.ref - b.ref);
}

/** Prolongs leases; returns those that are still ours. */
export async function heartbeat(
  db: Queryable,
  chunks: readonly LeasedChunk[],
  leaseMs: number,
): Promise<ReadonlySet<number>> {
  const rows = await db<{ chunk_ref: number }[]>`
    update chunk c set lease_until = clock_timestamp() + make_interval(secs => ${leaseMs / 1000})
    from unnest(${chunks.map((chunk) => chunk.ref)}::bigint[],
      ${chunks.map((chunk) => chunk.attempt)}::integer[]) as mine (chunk_ref, attempt)
    where c.chunk_ref = mine.chunk_ref and c.attempt = mine.attempt
      and c.lease_until > clock_timestamp()
    returning c.chunk_ref`;
  return new Set(rows.map((row) => row.chunk_ref));
}

/**
 * Gives a chunk back. Everything that this holder sent is settled by then, so the write-ahead mark
 * goes back to where a predecessor left it: what is left below it may have been sent by that one.
 */
export async function releaseChunk(
  db: Queryable,
  chunk: LeasedChunk,
  availableAt: Date,
): Promise<void> {
  await db`
    update chunk set lease_owner = null, lease_until = null, available_at = ${availableAt},
      gated_through = ${chunk.gatedThrough}
    where chunk_ref = ${chunk.ref} and attempt = ${chunk.attempt}
      and lease_until > clock_timestamp()`;
}

export interface NewChunk {
  readonly appRef: number;
  readonly notificationRef: number;
  readonly day: string;
  readonly lane: Lane;
  readonly credentialRef: number | null;
  readonly installationRefs: readonly number[] | null;
  readonly userRefs: readonly number[];
  readonly retry: boolean;
  readonly availableAt: Date;
}

/** Returns the reference of the new chunk. */
export async function insertChunk(tx: Transaction, chunk: NewChunk): Promise<number> {
  const refs = chunk.installationRefs === null ? null : [...chunk.installationRefs];
  const [row] = await tx<{ chunk_ref: number }[]>`
    insert into chunk (app_ref, notification_ref, day, lane, credential_ref, installation_refs,
      user_refs, retry, available_at)
    values (${chunk.appRef}, ${chunk.notificationRef}, ${chunk.day}, ${chunk.lane},
      ${chunk.credentialRef}, ${refs}::bigint[], ${[...chunk.userRefs]}::bigint[], ${chunk.retry},
      ${chunk.availableAt})
    returning chunk_ref`;
  if (row === undefined) throw new Error('insert returned no chunk');
  return row.chunk_ref;
}

/** Takes the chunk's row if the lease is still ours; false when somebody else has taken over. */
export async function fenceChunk(tx: Transaction, chunk: LeasedChunk): Promise<boolean> {
  const rows = await tx`
    select 1 from chunk
    where chunk_ref = ${chunk.ref} and attempt = ${chunk.attempt}
      and lease_until > clock_timestamp()
    for update`;
  return rows.length === 1;
}

/** Counts settled deliveries of a fenced chunk and deletes it when none is left. */
export async function countSettled(
  tx: Transaction,
  chunk: LeasedChunk,
  count: number,
): Promise<'open' | 'completed'> {
  const [row] = await tx<{ open: boolean }[]>`
    update chunk set settled = settled + ${count} where chunk_ref = ${chunk.ref}
    returning settled < cardinality(installation_refs) as open`;
  if (row?.open === true) return 'open';
  await deleteChunk(tx, chunk);
  return 'completed';
}

export async function deleteChunk(tx: Transaction, chunk: LeasedChunk): Promise<void> {
  await tx`delete from chunk where chunk_ref = ${chunk.ref}`;
}

/** Chunks and retries that are not done, whenever they become due. */
export async function countOpenWork(db: Database): Promise<number> {
  const [row] = await db<{ open: number }[]>`
    select (select count(*) from chunk) + (select count(*) from retry) as open`;
  return row?.open ?? 0;
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
    retry: row.retry,
    gatedThrough: row.gated_through,
    settled: row.settled,
    attempt: row.attempt,
  };
}
