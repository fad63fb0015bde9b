import type { Queryable } from './sql.ts';

export type ReceiptKind = 'displayed' | 'opened' | 'dismissed';

/** What a device reports about one notification. */
export interface NewReceipt {
  /** UUID of the notification. */
  readonly notificationId: string;
  readonly kind: ReceiptKind;
  readonly at: Date;
}

/**
 * Keeps what an installation reports about notifications that went to it, and returns how many of
 * the reports that concerned. A report that is held already is not written again and counts all the
 * same. The day is the notification's own, so that a repetition after midnight meets the first one.
 * A push whose outcome is not written yet counts as sent: a fast device answers before the ledger
 * does. Times before the notification existed or after now are a wrong clock and are pulled to the
 * nearer bound.
 */
export async function insertReceipts(
  db: Queryable,
  appRef: number,
  installationRef: number,
  receipts: readonly NewReceipt[],
  now: Date,
): Promise<number> {
  const rows = receipts.map((receipt) => ({
    notification_id: receipt.notificationId,
    kind: receipt.kind,
    at: receipt.at.toISOString(),
  }));
  const [row] = await db<{ known: number }[]>`
    with reported as (
      select * from jsonb_to_recordset(${db.json(rows)})
        as r (notification_id uuid, kind text, at timestamptz)
    ), known as (
      select n.day, n.notification_ref, r.kind,
        least(greatest(r.at, n.created_at), ${now}::timestamptz) as at
      from reported r join notification n on n.id = r.notification_id and n.app_ref = ${appRef}
      where exists (
          select 1 from delivery d
          where d.day = n.day and d.notification_ref = n.notification_ref
            and d.installation_ref = ${installationRef})
        or exists (
          select 1 from chunk c
          where c.notification_ref = n.notification_ref
            and ${installationRef}::bigint = any(c.installation_refs))
    ), stored as (
      insert into receipt (day, notification_ref, installation_ref, kind, at, received_at)
      select day, notification_ref, ${installationRef}::bigint, kind, min(at), ${now}::timestamptz
      from known
      group by day, notification_ref, kind
      order by notification_ref, kind
      on conflict do nothing
    )
    select count(*)::integer as known from known`;
  return row?.known ?? 0;
}
