import assert from 'node:assert';
import type { Recipient } from '../domain/delivery.ts';
import type { GateRow } from '../domain/gate.ts';
import { LIMITS } from '../domain/limits.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import { installationFor } from './addressed-installation.ts';
import type { LeasedChunk } from './chunks.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { INSTALLATION_COLUMNS, lookAtUsers, toGateRow, type GateColumns } from './gate-columns.ts';
import { listOf, type Fragment, type Queryable } from './sql.ts';

type GateStatementRow = GateColumns & {
  readonly cancelled: true | null;
  readonly paused: true | null;
};

/** Deliveries of a leased chunk that are to be checked. */
export interface GateSlice {
  readonly chunk: LeasedChunk;
  readonly recipients: readonly Recipient[];
  /** How many of the chunk's deliveries have then been checked. */
  readonly through: number;
  /** What the notification is for; null where it goes to the alert tokens. */
  readonly purpose: PurposeTarget | null;
}

export interface GatedSlice {
  readonly rows: readonly GateRow[];
  readonly cancelled: boolean;
  readonly paused: boolean;
}

/**
 * The ownership check and the write-ahead mark in one statement (rule R7): moves the chunk's mark
 * if the lease is still ours, and only then returns the current rows of the slice, in its order.
 * Null when the lease was lost. An installation that was purged has a row without address and
 * owner: its delivery ends all the same.
 *
 * The statement looks at what this slice can need, and at nothing else. Processor time for each
 * delivery of a general notification to 200,000 of a million installations, on a busy machine, with
 * all looks and with these: PostgreSQL 15-17 and 13 µs, Homing 12-17 and 10 µs.
 *
 * Each look is a subquery for one row, and the slice a list of unknown length, so that there is one
 * plan, made once: a look-up in an index for each delivery. As plain joins they were planned anew
 * for each slice, which took 1.9 ms for a notification to one user, or as scans of what was small
 * at that time, which took 57 µs for each delivery once it was large.
 */
export async function gateSlice(
  db: Queryable,
  { chunk, recipients, through, purpose }: GateSlice,
): Promise<GatedSlice | null> {
  const users = lookAtUsers(recipients);
  const installation = installationFor(purpose, 's.installation_ref');
  const record = lookAtLedger(db, chunk);
  const rows = await db<GateStatementRow[]>`
    with held as (
      update chunk set gated_through = greatest(gated_through, ${through})
      where chunk_ref = ${chunk.ref} and attempt = ${chunk.attempt}
        and lease_until > clock_timestamp()
      returning chunk_ref
    ), slice as (
      select * from unnest(
        ${listOf(
          db,
          'bigint',
          recipients.map((one) => one.installationRef),
        )},
        ${listOf(
          db,
          'bigint',
          recipients.map((one) => one.userRef),
        )})
        with ordinality as s (installation_ref, user_ref, position)
    )
    select ${db.unsafe(INSTALLATION_COLUMNS)}, ${db.unsafe(users.columns)} ${record.columns},
      nullif(n.cancelled_at is not null, false) as cancelled,
      nullif(n.paused_at is not null, false) as paused
    from held
      cross join slice s
      join notification n on n.notification_ref = ${chunk.notificationRef}
      join app a on a.app_ref = n.app_ref
      left join lateral (${db.unsafe(installation)}) i on true
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
      ${db.unsafe(users.joins)} ${record.joins}
    order by s.position`;
  return rows.length === 0 ? null : toGatedSlice(rows, recipients);
}

function toGatedSlice(
  rows: readonly GateStatementRow[],
  recipients: readonly Recipient[],
): GatedSlice {
  const [first] = rows;
  assert(first !== undefined && rows.length === recipients.length, 'each delivery has one row');
  return {
    rows: recipients.map((recipient, index) => toGateRow(rows[index] ?? first, recipient)),
    cancelled: first.cancelled ?? false,
    paused: first.paused ?? false,
  };
}

/** Whether a slice can be gated with others: few who are addressed as users, for the first time. */
export function isGatedAlike({ chunk, recipients, purpose }: GateSlice): boolean {
  return (
    purpose === null &&
    isFirstOffer(chunk) &&
    recipients.length <= LIMITS.roundDeliveries &&
    recipients.every((one) => one.userRef !== 0)
  );
}

/** Of a chunk that nobody worked at before the ledger knows nothing yet. */
function isFirstOffer({ retry, gatedThrough, settled }: LeasedChunk): boolean {
  return !retry && gatedThrough === 0 && settled === 0;
}

/**
 * The same for slices of different chunks, all of which `isGatedAlike`, in one statement; the
 * answers in their order. Null also where somebody else holds the row of the chunk: one of them
 * must not hold up the others. It finds the notification anew for each delivery, which a slice of
 * one chunk need not.
 */
export async function gateTogether(
  db: Queryable,
  slices: readonly GateSlice[],
): Promise<readonly (GatedSlice | null)[]> {
  const recipients = slices.flatMap((one) => one.recipients);
  const chunkRefs = slices.flatMap((one) => one.recipients.map(() => one.chunk.ref));
  const users = lookAtUsers(recipients);
  const rows = await db<(GateStatementRow & { readonly chunk_ref: number })[]>`
    with mine as (
      select * from unnest(${listOf(
        db,
        'bigint',
        slices.map((one) => one.chunk.ref),
      )},
        ${listOf(
          db,
          'integer',
          slices.map((one) => one.chunk.attempt),
        )},
        ${listOf(
          db,
          'integer',
          slices.map((one) => one.through),
        )}) as m (chunk_ref, attempt, through)
    ), free as (
      select c.chunk_ref, m.through from chunk c join mine m using (chunk_ref, attempt)
      where c.chunk_ref = any(array(select chunk_ref from mine))
        and c.lease_until > clock_timestamp()
      order by c.chunk_ref for update of c skip locked
    ), held as (
      update chunk c set gated_through = greatest(c.gated_through, free.through) from free
      where c.chunk_ref = free.chunk_ref
      returning c.chunk_ref, c.notification_ref
    ), slice as (
      select * from unnest(
        ${listOf(
          db,
          'bigint',
          recipients.map((one) => one.installationRef),
        )},
        ${listOf(
          db,
          'bigint',
          recipients.map((one) => one.userRef),
        )},
        ${listOf(db, 'bigint', chunkRefs)})
        with ordinality as s (installation_ref, user_ref, chunk_ref, position)
    )
    select h.chunk_ref, ${db.unsafe(INSTALLATION_COLUMNS)}, ${db.unsafe(users.columns)},
      nullif(n.cancelled_at is not null, false) as cancelled,
      nullif(n.paused_at is not null, false) as paused
    from slice s join held h using (chunk_ref)
      join notification n on n.notification_ref = h.notification_ref
      join app a on a.app_ref = n.app_ref
      left join lateral (
        select * from installation where installation_ref = s.installation_ref limit 1) i on true
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
      ${db.unsafe(users.joins)}
    order by s.position`;
  const byChunk = Map.groupBy(rows, (row) => row.chunk_ref);
  return slices.map(({ chunk, recipients: own }) => {
    const gated = byChunk.get(chunk.ref);
    return gated === undefined ? null : toGatedSlice(gated, own);
  });
}

/**
 * What the ledger says of the deliveries of a chunk, and whether a later notification took the
 * place of one that is retried.
 */
function lookAtLedger(
  db: Queryable,
  chunk: LeasedChunk,
): { readonly columns: Fragment; readonly joins: Fragment } {
  if (isFirstOffer(chunk)) {
    return { columns: db``, joins: db`` };
  }
  return {
    columns: db`,
      d.state as settled_state, d.reason as settled_reason, d.chunk_ref as settled_in_chunk,
      d.attempts, d.first_sent_at, d.possible_duplicate,
      n.collapse_key is not null and ${chunk.retry} and exists (
        select 1 from delivery later join notification m using (notification_ref)
        where later.installation_ref = s.installation_ref and later.user_ref = s.user_ref
          and later.day >= n.day
          and later.notification_ref > n.notification_ref and later.state = 'accepted'
          and m.app_ref = n.app_ref and m.collapse_key = n.collapse_key
          and m.purpose is not distinct from n.purpose and m.activity_id = n.activity_id
      ) as newer_sent`,
    joins: db`
      left join lateral (
        select * from delivery
        where day = ${chunk.day} and notification_ref = ${chunk.notificationRef}
          and installation_ref = s.installation_ref and user_ref = s.user_ref
        -- Keeps it a look-up in the index for each row: as a join it could be planned as a scan
        -- of a partition while that is new, and stay one all day.
        limit 1) d on true`,
  };
}
