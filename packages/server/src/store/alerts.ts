import type { AlertDraft, AlertSubject } from '../domain/alert.ts';
import { json, type Queryable, type Transaction } from './sql.ts';

export interface AlertRecord extends AlertDraft {
  readonly ref: number;
  /** UUID; customers see it as `alr_…`. */
  readonly id: string;
  readonly openedAt: Date;
  readonly lastSeenAt: Date;
  readonly closedAt: Date | null;
  /** The hint of the key that closed it, or `recovery` when what it told of had ended. */
  readonly closedBy: string | null;
}

const COLUMNS = `alert_ref as ref, id, app_ref as "appRef", kind, subject, detail,
  opened_at as "openedAt", last_seen_at as "lastSeenAt", closed_at as "closedAt",
  closed_by as "closedBy"`;

/**
 * Opens an alert in the transaction of what it tells of; if one is open already, notes that it was
 * seen again, at most once a minute. True when it is new.
 */
export async function openAlert(tx: Transaction, draft: AlertDraft, now: Date): Promise<boolean> {
  const { appRef, kind, subject, detail } = draft;
  const [row] = await tx<{ isNew: boolean }[]>`
    insert into alert (app_ref, kind, subject, detail, opened_at, last_seen_at)
    values (${appRef}, ${kind}, ${subject}, ${json(detail)}, ${now}, ${now})
    on conflict (app_ref, kind, subject) where closed_at is null
      do update set last_seen_at = excluded.last_seen_at, detail = excluded.detail
      where alert.last_seen_at < excluded.last_seen_at - interval '1 minute'
    returning xmax = 0 as "isNew"`;
  return row?.isNew === true;
}

/** Notes that what an open alert tells of was seen again, at most once a minute. */
export async function touchAlert(tx: Transaction, draft: AlertDraft, now: Date): Promise<void> {
  const { appRef, kind, subject, detail } = draft;
  await tx`
    update alert set last_seen_at = ${now}, detail = ${json(detail)}
    where app_ref = ${appRef} and kind = ${kind} and subject = ${subject} and closed_at is null
      and last_seen_at < ${now}::timestamptz - interval '1 minute'`;
}

export async function isAlertOpen(db: Queryable, about: AlertSubject): Promise<boolean> {
  const rows = await db`
    select 1 from alert
    where app_ref = ${about.appRef} and kind = ${about.kind} and subject = ${about.subject}
      and closed_at is null`;
  return rows.length > 0;
}

/** Closes the open alert about a subject. Null when there is none, or somebody was faster. */
export async function closeAlertAbout(
  tx: Transaction,
  about: AlertSubject,
  closedBy: string,
  now: Date,
): Promise<AlertRecord | null> {
  const [row] = await tx<AlertRecord[]>`
    update alert set closed_at = ${now}, closed_by = ${closedBy}
    where app_ref = ${about.appRef} and kind = ${about.kind} and subject = ${about.subject}
      and closed_at is null
    returning ${tx.unsafe(COLUMNS)}`;
  return row ?? null;
}

/** Closes an alert by its id. Null when it was closed before. */
export async function closeAlertById(
  tx: Transaction,
  appRef: number,
  id: string,
  closedBy: string,
  now: Date,
): Promise<AlertRecord | null> {
  const [row] = await tx<AlertRecord[]>`
    update alert set closed_at = ${now}, closed_by = ${closedBy}
    where app_ref = ${appRef} and id = ${id} and closed_at is null
    returning ${tx.unsafe(COLUMNS)}`;
  return row ?? null;
}

/** Null when the app has no such alert. */
export async function findAlert(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<AlertRecord | null> {
  const [row] = await db<AlertRecord[]>`
    select ${db.unsafe(COLUMNS)} from alert where app_ref = ${appRef} and id = ${id}`;
  return row ?? null;
}

export interface AlertFilter {
  /** Null for open and closed ones. */
  readonly open: boolean | null;
  /** List before this reference, descending. */
  readonly before: number | null;
  readonly limit: number;
}

/** One page of an app's alerts, newest first. */
export async function listAlerts(
  db: Queryable,
  appRef: number,
  { open, before, limit }: AlertFilter,
): Promise<readonly AlertRecord[]> {
  return db<AlertRecord[]>`
    select ${db.unsafe(COLUMNS)} from alert
    where app_ref = ${appRef}
      ${before === null ? db`` : db`and alert_ref < ${before}`}
      ${open === null ? db`` : db`and (closed_at is null) = ${open}`}
    order by alert_ref desc limit ${limit}`;
}
