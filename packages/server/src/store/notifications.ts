import assert from 'node:assert';
import { walkedAudience, type StoredAudience, type WalkedAudience } from '../domain/audience.ts';
import { toDormancyPolicy, type DormancyInput } from '../domain/dormancy.ts';
import type {
  ContentTemplate,
  Lane,
  Notification,
  Priority,
  Variables,
} from '../domain/notification.ts';
import type { MessageOverrides } from '../domain/message.ts';
import type { Purpose, PurposeTarget } from '../domain/purpose.ts';
import { columns, json, listOf, type Queryable, type Transaction } from './sql.ts';

export interface NewNotification {
  readonly appRef: number;
  readonly id: string;
  readonly day: string;
  readonly audience: StoredAudience;
  readonly content: unknown;
  readonly locales: unknown;
  readonly variables: unknown;
  readonly recipientVariables: unknown;
  readonly overrides: unknown;
  readonly category: string;
  readonly labels: unknown;
  readonly userBound: boolean;
  readonly priority: Priority;
  readonly lane: Lane;
  readonly silent: boolean;
  readonly purpose: PurposeTarget | null;
  readonly collapseKey: string | null;
  readonly pacePerSecond: number | null;
  readonly ttlSeconds: number;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  /** How many deliveries there will be; null until its audience was walked. */
  readonly expected: number | null;
  /** Set where nobody can be reached. */
  readonly finishedAt: Date | null;
}

export async function insertNotification(
  tx: Transaction,
  notification: NewNotification,
): Promise<number> {
  const row = {
    app_ref: notification.appRef,
    id: notification.id,
    day: notification.day,
    audience: json(notification.audience),
    content: json(notification.content),
    locales: json(notification.locales),
    variables: json(notification.variables),
    recipient_variables: json(notification.recipientVariables),
    overrides: json(notification.overrides),
    category: notification.category,
    labels: json(notification.labels),
    user_bound: notification.userBound,
    priority: notification.priority,
    lane: notification.lane,
    silent: notification.silent,
    purpose: notification.purpose?.name ?? null,
    activity_id: notification.purpose?.activityId ?? '',
    collapse_key: notification.collapseKey,
    pace_per_second: notification.pacePerSecond,
    ttl_seconds: notification.ttlSeconds,
    expires_at: notification.expiresAt,
    created_at: notification.createdAt,
    expected: notification.expected,
    finished_at: notification.finishedAt,
  };
  const [inserted] = await tx<{ notification_ref: number }[]>`
    insert into notification ${columns(tx, row)} returning notification_ref`;
  if (inserted === undefined) throw new Error('insert returned no notification');
  return inserted.notification_ref;
}

interface NotificationRow {
  readonly notification_ref: number;
  readonly app_ref: number;
  readonly app_name: string;
  readonly app_dormancy: DormancyInput;
  readonly id: string;
  readonly day: string;
  readonly content: ContentTemplate;
  readonly locales: Record<string, ContentTemplate>;
  readonly variables: Variables;
  readonly recipient_variables: Record<string, Variables>;
  readonly variables_list_ref: number | null;
  readonly overrides: Partial<MessageOverrides>;
  readonly category: string;
  readonly user_bound: boolean;
  readonly priority: Priority;
  readonly lane: Lane;
  readonly silent: boolean;
  readonly purpose: Purpose | null;
  readonly activity_id: string;
  readonly collapse_key: string | null;
  readonly pace_per_second: number | null;
  readonly expires_at: Date;
  readonly created_at: Date;
}

/** What workers need of some notifications, in the order of their references. */
export async function loadNotifications(
  db: Queryable,
  refs: readonly number[],
): Promise<readonly Notification[]> {
  const rows = await db<NotificationRow[]>`
    select n.*, a.name as app_name, a.dormancy as app_dormancy,
      l.audience_ref as variables_list_ref
    from notification n join app a using (app_ref)
      left join audience l on l.app_ref = n.app_ref and l.has_variables
        and l.id = case when n.audience ? 'list' then substr(n.audience->>'list', 5)::uuid end
    where notification_ref = any(${listOf(db, 'bigint', refs)})`;
  const found = new Map(rows.map((row) => [row.notification_ref, toNotification(row)]));
  return refs.map((ref) => {
    const notification = found.get(ref);
    if (notification === undefined) throw new Error(`notification ${ref} is gone`);
    return notification;
  });
}

/** What workers need of a notification. */
export async function loadNotification(db: Queryable, ref: number): Promise<Notification> {
  const [notification] = await loadNotifications(db, [ref]);
  assert(notification !== undefined);
  return notification;
}

function toNotification(row: NotificationRow): Notification {
  return {
    ref: row.notification_ref,
    appRef: row.app_ref,
    appName: row.app_name,
    id: row.id,
    day: row.day,
    content: row.content,
    locales: row.locales,
    variables: row.variables,
    variablesListRef: row.variables_list_ref,
    recipientVariables: row.recipient_variables,
    overrides: row.overrides,
    category: row.category,
    userBound: row.user_bound,
    priority: row.priority,
    lane: row.lane,
    silent: row.silent,
    purpose: row.purpose === null ? null : { name: row.purpose, activityId: row.activity_id },
    dormantGetTransactional: toDormancyPolicy(row.app_dormancy).sendTransactional,
    collapseKey: row.collapse_key,
    pacePerSecond: row.pace_per_second,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}

/** Whom a notification is for, if that has to be walked, and whether anybody is to get it still. */
export interface AudienceToWalk {
  readonly audience: WalkedAudience | null;
  readonly cancelled: boolean;
}

export async function loadAudience(db: Queryable, ref: number): Promise<AudienceToWalk> {
  const [row] = await db<{ audience: StoredAudience; user_bound: boolean; cancelled: boolean }[]>`
    select audience, user_bound, cancelled_at is not null as cancelled from notification
    where notification_ref = ${ref}`;
  if (row === undefined) throw new Error(`notification ${ref} is gone`);
  return { audience: walkedAudience(row.audience, row.user_bound), cancelled: row.cancelled };
}

export interface NotificationSummary {
  readonly ref: number;
  readonly id: string;
  readonly day: string;
  readonly audience: StoredAudience;
  readonly lane: Lane;
  readonly userBound: boolean;
  readonly category: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly cancelledAt: Date | null;
  readonly pausedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly expected: number | null;
  readonly pending: number;
  readonly counters: readonly NotificationCounter[];
}

export interface NotificationCounter {
  readonly state: string;
  readonly reason: string;
  readonly deliveries: number;
  readonly possible_duplicates: number;
}

/**
 * A notification with its counts, all of one moment: one statement, so that what is expected is
 * exactly what is settled, waiting for a retry, or pending.
 */
export async function summarizeNotification(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<NotificationSummary | null> {
  const [row] = await db<NotificationSummary[]>`
    select n.notification_ref as ref, n.id, n.day, n.audience, n.lane,
      n.user_bound as "userBound", n.category, n.labels,
      n.created_at as "createdAt", n.expires_at as "expiresAt", n.cancelled_at as "cancelledAt",
      n.paused_at as "pausedAt",
      n.finished_at as "finishedAt", n.expected,
      coalesce((
        select sum(cardinality(c.installation_refs) - c.settled)
        from chunk c where c.notification_ref = n.notification_ref
          and c.credential_ref is not null and not c.retry), 0)::bigint as pending,
      coalesce((
        select jsonb_agg(k) from (
          select state, reason, sum(deliveries)::bigint as deliveries,
            sum(possible_duplicates)::bigint as possible_duplicates
          from notification_counter where notification_ref = n.notification_ref
          group by state, reason
        ) k
      ), '[]') as counters
    from notification n where n.app_ref = ${appRef} and n.id = ${id}`;
  return row ?? null;
}

/**
 * Stops what has not started. True when something could still have gone out: it was running, or
 * deliveries of it had ended with a token and would have followed to the next one.
 */
export async function cancelNotification(
  tx: Transaction,
  appRef: number,
  id: string,
  now: Date,
): Promise<boolean> {
  const [row] = await tx<{ notification_ref: number }[]>`
    update notification n set cancelled_at = ${now}
    where app_ref = ${appRef} and id = ${id} and cancelled_at is null
      and (finished_at is null or (expires_at > ${now} and (
        select sum(k.deliveries) from notification_counter k
        where k.notification_ref = n.notification_ref and k.state = 'failed'
          and k.reason in ('token_dead', 'token_mismatch')) > 0))
    returning notification_ref`;
  if (row === undefined) return false;
  await hastenChunks(tx, row.notification_ref, now);
  await hastenRetries(tx, row.notification_ref, now);
  return true;
}

/**
 * Lets a notification stand still, or go on; nothing when it stands so already, or has ended.
 * Its chunks are out of sight until it goes on or expires. What a worker holds is left alone: its
 * gate sees by itself how things stand.
 */
export async function setNotificationPause(
  tx: Transaction,
  appRef: number,
  id: string,
  pausedAt: Date | null,
  now: Date,
): Promise<boolean> {
  const [row] = await tx<{ notification_ref: number; expires_at: Date }[]>`
    update notification set paused_at = ${pausedAt}
    where app_ref = ${appRef} and id = ${id} and cancelled_at is null and finished_at is null
      and (paused_at is null) <> ${pausedAt === null}
    returning notification_ref, expires_at`;
  if (row === undefined) return false;
  if (pausedAt === null) await hastenChunks(tx, row.notification_ref, now);
  else await putOffChunks(tx, row.notification_ref, row.expires_at);
  return true;
}

/** How a notification stands, for whoever waits before asking the gate. */
export async function readStanding(
  db: Queryable,
  ref: number,
): Promise<'goes_on' | 'paused' | 'cancelled'> {
  const [row] = await db<{ cancelled: boolean; paused: boolean }[]>`
    select cancelled_at is not null as cancelled, paused_at is not null as paused
    from notification where notification_ref = ${ref}`;
  if (row === undefined || row.cancelled) return 'cancelled';
  return row.paused ? 'paused' : 'goes_on';
}

/** Only chunks whose recipients are known; the others are resolved all the same. */
async function putOffChunks(tx: Transaction, notificationRef: number, until: Date): Promise<void> {
  await tx`
    update chunk set available_at = ${until} where chunk_ref in (
      select chunk_ref from chunk
      where notification_ref = ${notificationRef} and credential_ref is not null
        and (lease_until is null or lease_until < clock_timestamp())
      for update skip locked)`;
}

/** Makes what waits for its lane, or for its notification to go on, due at once. */
async function hastenChunks(tx: Transaction, notificationRef: number, now: Date): Promise<void> {
  await tx`
    update chunk set available_at = ${now} where chunk_ref in (
      select chunk_ref from chunk
      where notification_ref = ${notificationRef} and available_at > ${now}
      for update skip locked)`;
}

/**
 * Makes what waits for a retry due at once, so that it is skipped now and not when its time comes.
 * What a worker holds is left alone: its gate sees the cancellation by itself.
 */
async function hastenRetries(tx: Transaction, notificationRef: number, now: Date): Promise<void> {
  await tx`
    update retry set due_at = ${now} where notification_ref = ${notificationRef}
      and (installation_ref, user_ref) in (
        select installation_ref, user_ref from retry
        where notification_ref = ${notificationRef} and due_at > ${now}
        for update skip locked)`;
}

/** Records how many deliveries there will be; known once the audience is resolved. */
export async function addExpected(tx: Transaction, ref: number, count: number): Promise<void> {
  await tx`
    update notification set expected = coalesce(expected, 0) + ${count}
    where notification_ref = ${ref}`;
}

/**
 * Marks notifications finished of which no work is left. Takes their rows first, in one order, so
 * that of two workers that finish the last chunks of one at once the second one sees the first
 * one's.
 */
export async function finishIfDone(
  tx: Transaction,
  refs: readonly number[],
  now: Date,
): Promise<void> {
  if (refs.length === 0) return;
  await tx`
    select 1 from notification where notification_ref = any(${listOf(tx, 'bigint', refs)})
    order by notification_ref for no key update`;
  await tx`
    update notification n set finished_at = ${now}
    where notification_ref = any(${listOf(tx, 'bigint', refs)}) and finished_at is null
      and not exists (select 1 from chunk c where c.notification_ref = n.notification_ref)
      and not exists (select 1 from retry r where r.notification_ref = n.notification_ref)`;
}
