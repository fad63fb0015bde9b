import { LIMITS } from '../domain/limits.ts';
import type { Lane } from '../domain/notification.ts';
import { listOf, type Database, type Queryable, type Transaction } from './sql.ts';
import { inTransaction } from './transaction.ts';

/** A chunk that this worker holds, for as long as its lease lasts. */
export interface LeasedChunk {
  readonly ref: number;
  readonly appRef: number;
  readonly notificationRef: number;
  readonly day: string;
  readonly lane: Lane;
  /** Null while its audience is not resolved yet. */
  readonly credentialRef: number | null;
  readonly installationRefs: readonly number[];
  /** Parallel to the installations once resolved; empty where the content is not user-bound. */
  readonly userRefs: readonly number[];
  /**
   * How far the walk over the notification's audience has come; null where the chunk itself says
   * whom it is for.
   */
  readonly cursor: string | null;
  readonly retry: boolean;
  /** Its place in line among the chunks of its app. */
  readonly turn: number;
  /** Deliveries up to here were checked before; those without a record may have been sent. */
  readonly gatedThrough: number;
  readonly settled: number;
  /** Fencing token. */
  readonly attempt: number;
}

/**
 * Gives a chunk back until a moment, at most until its notification expires, and at once when that
 * was cancelled meanwhile. The notification is looked at under a lock, so that a cancellation that
 * happens at this moment is seen, or sees this; after the chunk, as everybody locks them.
 *
 * Everything that this holder sent is settled by then, so the write-ahead mark goes back to where a
 * predecessor left it: what is left below it may have been sent by that one.
 */
export async function releaseChunk(
  db: Queryable,
  chunk: LeasedChunk,
  availableAt: Date,
): Promise<void> {
  await db`
    with held as (
      select chunk_ref, notification_ref from chunk
      where chunk_ref = ${chunk.ref} and attempt = ${chunk.attempt}
        and lease_until > clock_timestamp()
      for update
    ), parent as (
      select chunk_ref, n.expires_at, n.cancelled_at
      from held join notification n using (notification_ref)
      for share of n
    )
    update chunk c set lease_owner = null, lease_until = null,
      gated_through = ${chunk.gatedThrough},
      available_at = least(${availableAt}::timestamptz, parent.expires_at, parent.cancelled_at)
    from parent where c.chunk_ref = parent.chunk_ref`;
}

/**
 * Gives back a chunk of a notification that was found paused, until it expires: a resumption, or a
 * cancellation, makes it available before. Both pass over a chunk that is locked, so that the
 * notification is locked and read anew: one that happens now is seen, or sees this. The chunk comes
 * first, as for everybody who takes both.
 */
export async function parkChunk(db: Database, chunk: LeasedChunk, now: Date): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (!(await fenceChunk(tx, chunk))) return;
    await tx`
      with parent as (
        select paused_at is not null and cancelled_at is null as stands, expires_at
        from notification where notification_ref = ${chunk.notificationRef} for share
      )
      update chunk set lease_owner = null, lease_until = null,
        gated_through = ${chunk.gatedThrough},
        available_at = case when parent.stands then parent.expires_at else ${now} end
      from parent where chunk_ref = ${chunk.ref}`;
  });
}

export interface NewChunk {
  readonly appRef: number;
  readonly notificationRef: number;
  readonly day: string;
  readonly lane: Lane;
  readonly credentialRef: number | null;
  readonly installationRefs: readonly number[] | null;
  readonly userRefs: readonly number[];
  readonly cursor: string | null;
  readonly retry: boolean;
  readonly availableAt: Date;
  /** Null for the place next in line. */
  readonly turn: number | null;
}

/** Returns the reference of the new chunk. */
export async function insertChunk(tx: Transaction, chunk: NewChunk): Promise<number> {
  const refs = chunk.installationRefs === null ? null : [...chunk.installationRefs];
  const [row] = await tx<{ chunk_ref: number }[]>`
    insert into chunk (app_ref, notification_ref, day, lane, credential_ref, installation_refs,
      user_refs, cursor, retry, available_at, turn)
    values (${chunk.appRef}, ${chunk.notificationRef}, ${chunk.day}, ${chunk.lane},
      ${chunk.credentialRef}, ${refs}::bigint[], ${[...chunk.userRefs]}::bigint[],
      ${chunk.cursor}, ${chunk.retry}, ${chunk.availableAt}, coalesce(${chunk.turn}::integer, (
        select turn from chunk ahead
        where ahead.lane = ${chunk.lane} and ahead.app_ref = ${chunk.appRef}
          and ahead.available_at <= ${chunk.availableAt}
        order by turn limit 1), 0))
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

/**
 * The same for several chunks, in the order of their references; returns those that are still ours.
 * One chunk may be among them twice, as it was leased before and again.
 */
export async function fenceChunks(
  tx: Transaction,
  chunks: readonly LeasedChunk[],
): Promise<ReadonlySet<LeasedChunk>> {
  const refs = chunks.map(({ ref }) => ref);
  const attempts = chunks.map(({ attempt }) => attempt);
  const rows = await tx<{ position: number }[]>`
    select m.position
    from chunk c join unnest(${listOf(tx, 'bigint', refs)}, ${listOf(tx, 'integer', attempts)})
      with ordinality as m (chunk_ref, attempt, position) using (chunk_ref, attempt)
    -- Says to the planner how few they are, who would read the whole table otherwise.
    where c.chunk_ref = any(${listOf(tx, 'bigint', refs)}) and c.lease_until > clock_timestamp()
    order by c.chunk_ref for update of c`;
  const held = new Set(rows.map(({ position }) => position));
  return new Set(chunks.filter((_, index) => held.has(index + 1)));
}

/** Gives back a fenced chunk that walks over an audience, further on and with its place in line. */
export async function moveOn(
  tx: Transaction,
  chunk: LeasedChunk,
  { cursor, turn }: { readonly cursor: string; readonly turn: number },
): Promise<void> {
  await tx`
    update chunk set cursor = ${cursor}, turn = ${turn}, lease_owner = null, lease_until = null
    where chunk_ref = ${chunk.ref}`;
}

/** A fenced chunk, and how many of its deliveries were settled. */
export interface ChunkProgress {
  readonly chunk: LeasedChunk;
  readonly count: number;
}

/**
 * Counts settled deliveries of fenced chunks and deletes those of which none is left; returns the
 * references of these. Prolongs the leases of the others: nobody could take them over meanwhile,
 * and no heartbeat reach them.
 */
export async function countSettled(
  tx: Transaction,
  progress: readonly ChunkProgress[],
): Promise<ReadonlySet<number>> {
  const refs = progress.map(({ chunk }) => chunk.ref);
  const counts = progress.map(({ count }) => count);
  const rows = await tx<{ chunk_ref: number; open: boolean }[]>`
    update chunk c set settled = c.settled + m.count,
      lease_until = clock_timestamp() + make_interval(secs => ${LIMITS.leaseMs / 1000})
    from unnest(${listOf(tx, 'bigint', refs)}, ${listOf(tx, 'integer', counts)})
      as m (chunk_ref, count)
    where c.chunk_ref = m.chunk_ref and c.chunk_ref = any(${listOf(tx, 'bigint', refs)})
    returning c.chunk_ref, c.settled < cardinality(c.installation_refs) as open`;
  const completed = rows.filter(({ open }) => !open).map((row) => row.chunk_ref);
  if (completed.length > 0) {
    await tx`delete from chunk where chunk_ref = any(${listOf(tx, 'bigint', completed)})`;
  }
  return new Set(completed);
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
