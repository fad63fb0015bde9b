import { LIMITS } from '../domain/limits.ts';
import { dropLists } from './audience-lists.ts';
import { dropIdempotencyKeys } from './idempotency.ts';
import { dropTombstones } from './installations.ts';
import { dropDeliveryDays, dropEventMonths } from './partitions.ts';
import type { Database } from './sql.ts';

/** One kind of row and how long it is kept. */
export interface RetentionRule {
  /** As docs/config.md calls it; a test compares the two tables. */
  readonly what: string;
  readonly days: number;
  /**
   * Drops some of what is older than a moment, in one short transaction or a few; returns how much
   * that was, and 0 once there is nothing left to drop.
   */
  readonly drop: (db: Database, before: Date) => Promise<number>;
}

/** Rows that one statement deletes: locks and journal of a moment, not of a table. */
const ROWS = 1_000;
/** Thirteen months, so that a year can be compared with the one before. */
const YEAR_AND_A_MONTH = 396;
const MINUTES_PER_DAY = 1_440;
/** A day after the last moment at which an assertion could have been used. */
const PROOF_DAYS =
  1 + (LIMITS.assertionLifetimeSeconds + LIMITS.assertionSkewSeconds) / 60 / MINUTES_PER_DAY;

/**
 * EVERYTHING THAT IS FORGOTTEN BY TIME. What belongs to a notification goes as soon as it has
 * finished and `deliveryDays` have passed. Nothing here reads a whole table: each rule has an index
 * for it, or takes the oldest rows by their key until one is young enough.
 */
export function retentionRules(deliveryDays: number): readonly RetentionRule[] {
  return [
    { what: 'business events for webhooks and streams', days: 3, drop: dropOutbox },
    {
      what: 'answers to requests with an idempotency key',
      days: LIMITS.idempotencyDays,
      drop: (db, before) => dropIdempotencyKeys(db, before, ROWS),
    },
    {
      what: 'ids of removed installations',
      days: LIMITS.tombstoneDays,
      drop: (db, before) => dropTombstones(db, before, ROWS),
    },
    {
      what: 'digests of the ids of erased users',
      days: LIMITS.userTombstoneHours / 24,
      drop: olderRows('user_tombstone', 'not_before'),
    },
    {
      what: 'tokens lost to a provider',
      days: LIMITS.tokenLossHours / 24,
      drop: olderRows('token_loss', 'at'),
    },
    {
      what: 'answers of providers by the minute',
      days: 1,
      drop: olderRows('answer_minute', 'minute'),
    },
    {
      what: 'moves of tokens between installations',
      days: 1,
      drop: olderRows('address_move', 'at'),
    },
    {
      what: 'what is left of rates',
      days: 1,
      drop: olderRows('rate_bucket', 'filled_at'),
    },
    {
      what: 'receipts of pushes that their provider has forgotten',
      days: 0,
      drop: olderRows('ticket', 'ends_at'),
    },
    { what: 'probes that may be repeated', days: 1, drop: olderRows('probe', 'again_at') },
    { what: 'ids of used assertions', days: PROOF_DAYS, drop: olderRows('proof', 'used_at') },
    {
      what: 'uploaded lists, since they could last be needed',
      days: LIMITS.audienceDays,
      drop: dropLists,
    },
    { what: 'notifications and their counts', days: deliveryDays, drop: dropNotifications },
    { what: 'deliveries and receipts', days: deliveryDays, drop: dropDeliveryDays },
    { what: 'events of timelines', days: YEAR_AND_A_MONTH, drop: dropEventMonths },
    {
      what: 'ended links but the last of each installation',
      days: YEAR_AND_A_MONTH,
      drop: dropLinks,
    },
    { what: 'audit records', days: YEAR_AND_A_MONTH, drop: dropAudit },
    { what: 'closed alerts', days: YEAR_AND_A_MONTH, drop: olderRows('alert', 'closed_at') },
    { what: 'reviews', days: YEAR_AND_A_MONTH, drop: dropReviews },
  ];
}

/**
 * A rule for a table that has an index on its age, or few rows. By the place of a row instead of
 * its key, which is another one in each table; a row that changes meanwhile stays for the next
 * time.
 */
function olderRows(table: string, age: string): RetentionRule['drop'] {
  return async (db, before) => {
    const rows = await db`
      delete from ${db(table)} where ctid = any(array(
        select ctid from ${db(table)} where ${db(age)} < ${before} limit ${ROWS}))
      returning 1`;
    return rows.length;
  };
}

async function dropOutbox(db: Database, before: Date): Promise<number> {
  const rows = await db`
    delete from outbox where at < ${before} and outbox_ref in (
      select outbox_ref from outbox order by outbox_ref limit ${ROWS})
    returning outbox_ref`;
  return rows.length;
}

/** Those of one batch with all that counts them; the ledger's rows go with their day. */
async function dropNotifications(db: Database, before: Date): Promise<number> {
  const day = before.toISOString().slice(0, 10);
  const rows = await db`
    with expired as (
      select notification_ref from notification
      where day < ${day} and finished_at is not null
      order by day, notification_ref limit ${ROWS}
    ), counters as (
      delete from notification_counter where notification_ref in (select * from expired)
    )
    delete from notification where notification_ref in (select * from expired)
    returning notification_ref`;
  return rows.length;
}

/**
 * Passes once over all that ended before then, some at a time: the last link of an installation
 * stays, and there may be many of those before the next one that goes.
 */
async function dropLinks(db: Database, before: Date): Promise<number> {
  let dropped = 0;
  let from: LinkSlice | undefined = { at: '-infinity', ref: 0, dropped: 0 };
  while (from !== undefined) {
    from = await dropLinksAfter(db, from, before);
    dropped += from?.dropped ?? 0;
  }
  return dropped;
}

/** Where a pass over ended links is: the end and the reference of the last one looked at. */
interface LinkSlice {
  readonly at: string;
  readonly ref: number;
  readonly dropped: number;
}

/** Undefined when there was none left to look at. */
async function dropLinksAfter(
  db: Database,
  from: LinkSlice,
  before: Date,
): Promise<LinkSlice | undefined> {
  const [slice] = await db<LinkSlice[]>`
    with slice as (
      select link_ref, installation_ref, ended_at from link
      where ended_at < ${before}
        and (ended_at, link_ref) > (${from.at}::text::timestamptz, ${from.ref})
      order by ended_at, link_ref limit ${ROWS}
    ), dropped as (
      delete from link using slice
      where link.link_ref = slice.link_ref and exists (
        select 1 from link newer
        where newer.installation_ref = slice.installation_ref and newer.link_ref > slice.link_ref)
      returning 1
    )
    select ended_at::text as at, link_ref as ref, (select count(*) from dropped) as dropped
    from slice order by ended_at desc, link_ref desc limit 1`;
  return slice;
}

async function dropAudit(db: Database, before: Date): Promise<number> {
  const rows = await db`
    delete from audit where at < ${before} and audit_ref in (
      select audit_ref from audit order by audit_ref limit ${ROWS})
    returning audit_ref`;
  return rows.length;
}

async function dropReviews(db: Database, before: Date): Promise<number> {
  const rows = await db`
    delete from review where created_at < ${before} and state in ('applied', 'superseded')
    returning review_ref`;
  return rows.length;
}
