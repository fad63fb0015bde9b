import type { ProviderName } from '../domain/address.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Lane } from '../domain/notification.ts';
import type { Settlement } from '../domain/settlement.ts';
import type { LeasedChunk } from './chunks.ts';
import type { Database, Queryable, Transaction } from './sql.ts';

/** A push whose receipt this worker asks for. */
export interface LeasedTicket {
  readonly ref: number;
  readonly appRef: number;
  readonly credentialRef: number;
  readonly receiptId: string;
  readonly day: string;
  readonly notificationRef: number;
  readonly installationRef: number;
  readonly userRef: number;
  readonly holderVersion: number;
  /** The part of the provider that took the push (`providerHost`). */
  readonly host: string;
  readonly sentAt: Date;
  readonly endsAt: Date;
  /** Fencing token. */
  readonly attempt: number;
}

/**
 * Remembers, with the ledger, whose receipts are to be asked for: those of the settlements that
 * have one coming.
 */
export async function insertTickets(
  tx: Transaction,
  chunk: LeasedChunk,
  settlements: readonly Settlement[],
): Promise<void> {
  const rows = settlements.flatMap((one) => {
    const { receipt, sentAt, providerId } = one;
    if (receipt === null || sentAt === null || providerId === null) return [];
    return {
      id: providerId,
      i: one.installationRef,
      u: one.userRef,
      v: one.holderVersion ?? 0,
      host: one.host,
      sent_at: sentAt.toISOString(),
      due_at: receipt.dueAt.toISOString(),
      ends_at: receipt.endsAt.toISOString(),
    };
  });
  if (rows.length === 0) return;
  await tx`
    insert into ticket (app_ref, credential_ref, receipt_id, day, notification_ref,
      installation_ref, user_ref, holder_version, host, sent_at, due_at, ends_at)
    select ${chunk.appRef}, ${chunk.credentialRef}, t.id, ${chunk.day}, ${chunk.notificationRef},
      t.i, t.u, t.v, t.host, t.sent_at, t.due_at, t.ends_at
    from jsonb_to_recordset(${tx.json(rows)}) as t (id text, i bigint, u bigint, v bigint,
      host text, sent_at timestamptz, due_at timestamptz, ends_at timestamptz)`;
}

/**
 * Takes due tickets that nobody holds, all of the one credential whose turn it is, oldest first;
 * none when none is due.
 */
export async function leaseTickets(
  db: Queryable,
  limit: number,
  now: Date,
): Promise<readonly LeasedTicket[]> {
  return db<LeasedTicket[]>`
    with longest_due as (
      select credential_ref from ticket
      where due_at <= ${now} and (lease_until is null or lease_until < clock_timestamp())
      order by due_at limit 1
    ), candidate as (
      select ticket_ref from ticket
      where credential_ref = (select credential_ref from longest_due)
        and due_at <= ${now} and (lease_until is null or lease_until < clock_timestamp())
      order by due_at limit ${limit}
      for update skip locked
    )
    update ticket t set attempt = t.attempt + 1,
      lease_until = clock_timestamp() + make_interval(secs => ${LIMITS.receiptLeaseMs / 1000})
    from candidate where t.ticket_ref = candidate.ticket_ref
    returning t.ticket_ref as ref, app_ref as "appRef", credential_ref as "credentialRef",
      receipt_id as "receiptId", day, notification_ref as "notificationRef",
      installation_ref as "installationRef", user_ref as "userRef",
      holder_version as "holderVersion", host, sent_at as "sentAt", ends_at as "endsAt", attempt`;
}

/** A ticket, and when it is to be asked for again. */
export interface PostponedTicket {
  readonly ticket: LeasedTicket;
  readonly dueAt: Date;
}

/**
 * Gives tickets back for later. One that its provider will have forgotten by then is given up: what
 * the ledger says of its push stands.
 */
export async function postponeTickets(
  db: Queryable,
  postponed: readonly PostponedTicket[],
): Promise<void> {
  if (postponed.length === 0) return;
  const rows = postponed.map(({ ticket, dueAt }) => ({
    t: ticket.ref,
    a: ticket.attempt,
    due_at: dueAt.toISOString(),
  }));
  await db`
    with later as (
      select t.ticket_ref, p.due_at
      from jsonb_to_recordset(${db.json(rows)}) as p (t bigint, a integer, due_at timestamptz)
        join ticket t on t.ticket_ref = p.t and t.attempt = p.a
      order by t.ticket_ref for update of t
    ), given_up as (
      delete from ticket t using later l
      where t.ticket_ref = l.ticket_ref and t.ends_at <= l.due_at
    )
    update ticket t set due_at = l.due_at, lease_until = null
    from later l where t.ticket_ref = l.ticket_ref and t.ends_at > l.due_at`;
}

/** Ends tickets; returns the references of those that no other worker has taken over. */
export async function closeTickets(
  tx: Transaction,
  tickets: readonly LeasedTicket[],
): Promise<ReadonlySet<number>> {
  const rows = await tx<{ ref: number }[]>`
    with mine as (
      select t.ticket_ref
      from unnest(${tickets.map((ticket) => ticket.ref)}::bigint[],
        ${tickets.map((ticket) => ticket.attempt)}::integer[]) as m (t, a)
        join ticket t on t.ticket_ref = m.t and t.attempt = m.a
      order by t.ticket_ref for update of t
    )
    delete from ticket using mine where ticket.ticket_ref = mine.ticket_ref
    returning ticket.ticket_ref as ref`;
  return new Set(rows.map((row) => row.ref));
}

/** How many receipts are still to come, whenever they are due. */
export async function countTickets(db: Database): Promise<number> {
  const [row] = await db<{ open: number }[]>`select count(*) as open from ticket`;
  return row?.open ?? 0;
}

/** A delivery that the ledger calls accepted, with what decides on another attempt. */
export interface AcceptedDelivery {
  readonly ticketRef: number;
  readonly appRef: number;
  readonly notificationRef: number;
  readonly day: string;
  readonly lane: Lane;
  readonly provider: ProviderName;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
  readonly firstSentAt: Date;
  readonly expiresAt: Date;
  readonly isCancelled: boolean;
}

/**
 * The deliveries of some tickets, notification by notification in one order, locked. Those that are
 * not accepted any more, or by another attempt, are left out, and so are forgotten ones.
 */
export async function lockAcceptedDeliveries(
  tx: Transaction,
  tickets: readonly LeasedTicket[],
): Promise<readonly AcceptedDelivery[]> {
  if (tickets.length === 0) return [];
  const rows = tickets.map((ticket) => ({
    t: ticket.ref,
    day: ticket.day,
    n: ticket.notificationRef,
    i: ticket.installationRef,
    u: ticket.userRef,
    id: ticket.receiptId,
  }));
  return tx<AcceptedDelivery[]>`
    select t.t as "ticketRef", n.app_ref as "appRef", d.notification_ref as "notificationRef", d.day,
      n.lane, d.provider, d.attempts, d.possible_duplicate as "possibleDuplicate",
      d.first_sent_at as "firstSentAt", n.expires_at as "expiresAt",
      n.cancelled_at is not null as "isCancelled"
    from jsonb_to_recordset(${tx.json(rows)}) as
        t (t bigint, day date, n bigint, i bigint, u bigint, id text)
      join delivery d on d.day = t.day and d.notification_ref = t.n and d.installation_ref = t.i
        and d.user_ref = t.u and d.state = 'accepted' and d.provider_id = t.id
      join notification n on n.notification_ref = d.notification_ref
    order by d.notification_ref, d.installation_ref, d.user_ref
    for update of d`;
}
