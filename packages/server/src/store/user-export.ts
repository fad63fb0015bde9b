import type { DeliveryState } from '../domain/delivery.ts';
import type { ProviderName } from '../domain/address.ts';
import type { ReceiptKind } from './receipts.ts';
import type { Queryable } from './sql.ts';

/**
 * A delivery that was addressed to a user, or that reached a device while the user was signed in.
 */
export interface ExportedDelivery {
  readonly notificationId: string;
  readonly installationId: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly code: string | null;
  readonly provider: ProviderName | null;
  readonly attempts: number;
  readonly sentAt: Date | null;
  readonly settledAt: Date;
}

export interface ExportedReceipt {
  readonly notificationId: string;
  readonly installationId: string;
  readonly kind: ReceiptKind;
  readonly at: Date;
}

/** A notification that named the user, with what was said to this user alone. */
export interface ExportedNotification {
  readonly id: string;
  readonly createdAt: Date;
  readonly category: string;
  readonly content: Record<string, unknown>;
  readonly locales: Record<string, unknown>;
  readonly variables: Record<string, unknown>;
  readonly ownVariables: Record<string, unknown> | null;
}

/**
 * The rows of the ledger that concern the user `$1`: those in the user's name, and those without a
 * name that were settled on a device within a period in which the user was signed in there.
 */
const DELIVERIES_OF_USER = `
  select d.* from delivery d
  where d.installation_ref in (select installation_ref from link where user_ref = $1)
    and (d.user_ref = $1 or d.user_ref = 0 and exists (
      select 1 from link l
      where l.user_ref = $1 and l.installation_ref = d.installation_ref
        and d.settled_at >= l.started_at and (l.ended_at is null or d.settled_at <= l.ended_at)))`;

export async function exportDeliveries(
  db: Queryable,
  userRef: number,
): Promise<readonly ExportedDelivery[]> {
  return db.unsafe<ExportedDelivery[]>(
    `with mine as (${DELIVERIES_OF_USER})
    select n.id as "notificationId", i.id as "installationId", m.state,
      nullif(m.reason, '') as reason, m.code, m.provider, m.attempts, m.sent_at as "sentAt",
      m.settled_at as "settledAt"
    from mine m join notification n using (notification_ref) join installation i using (installation_ref)
    order by m.settled_at, n.notification_ref, i.installation_ref`,
    [userRef],
  );
}

export async function exportReceipts(
  db: Queryable,
  userRef: number,
): Promise<readonly ExportedReceipt[]> {
  return db.unsafe<ExportedReceipt[]>(
    `with mine as (${DELIVERIES_OF_USER})
    select n.id as "notificationId", i.id as "installationId", r.kind, r.at
    from mine m join receipt r using (day, notification_ref, installation_ref)
      join notification n using (notification_ref) join installation i using (installation_ref)
    order by r.at, n.notification_ref, i.installation_ref, r.kind`,
    [userRef],
  );
}

/** Found by the audience and not by the ledger: what is still to be sent is held as well. */
export async function exportNotifications(
  db: Queryable,
  appRef: number,
  userId: string,
): Promise<readonly ExportedNotification[]> {
  return db<ExportedNotification[]>`
    select id, created_at as "createdAt", category, content, locales, variables,
      recipient_variables->${userId}::text as "ownVariables"
    from notification
    where user_bound and app_ref = ${appRef} and audience->'users' ? ${userId}
    order by notification_ref`;
}

/** An uploaded list that names the user. */
export interface ExportedList {
  readonly id: string;
  readonly createdAt: Date;
  readonly variables: Record<string, unknown> | null;
}

export async function exportLists(
  db: Queryable,
  appRef: number,
  userId: string,
): Promise<readonly ExportedList[]> {
  return db<ExportedList[]>`
    select a.id, a.created_at as "createdAt", m.variables
    from audience a join audience_member m on m.audience_ref = a.audience_ref
      and m.kind = 'user' and m.id = ${userId}
    where a.app_ref = ${appRef} and a.completed_at is not null
    order by a.audience_ref`;
}
