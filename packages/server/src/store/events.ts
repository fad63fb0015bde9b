import type { EventDraft, EventKind, EventSource } from '../domain/event.ts';
import type { Queryable, Transaction } from './sql.ts';

/** What all events of one change have in common. */
export interface EventContext {
  readonly appRef: number;
  readonly at: Date;
  readonly source: EventSource;
  readonly requestId: string | null;
}

/**
 * Writes events to the timeline and to the outbox, in the transaction of the change they tell of.
 * The app and SDK versions are those that the installation had reported by then.
 */
export async function appendEvents(
  tx: Transaction,
  context: EventContext,
  drafts: readonly EventDraft[],
): Promise<void> {
  if (drafts.length === 0) return;
  const rows = drafts.map((draft, position) => ({
    position,
    installation_ref: draft.installationRef,
    kind: draft.kind,
    user_ref: draft.userRef ?? null,
    old_token: draft.oldToken ?? null,
    new_token: draft.newToken ?? null,
    seq: draft.seq ?? null,
    cause: draft.cause ?? null,
  }));
  await tx`
    with draft as (
      select * from jsonb_to_recordset(${tx.json(rows)}) as
        d (installation_ref bigint, kind text, user_ref bigint, old_token text, new_token text,
          seq bigint, cause text, position bigint)
    ), timeline as (
      insert into event (at, app_ref, installation_ref, user_ref, kind, source, request_id,
        app_version, sdk_version, old_token, new_token, seq, cause)
      select ${context.at}, ${context.appRef}, d.installation_ref, d.user_ref, d.kind,
        ${context.source}, ${context.requestId}, i.app_version, i.sdk_version, d.old_token,
        d.new_token, d.seq, d.cause
      from draft d left join installation i using (installation_ref)
      order by d.position
    )
    insert into outbox (app_ref, at, kind, subject)
    select ${context.appRef}, ${context.at}, d.kind, jsonb_build_object('installation', i.id)
    from draft d join installation i using (installation_ref)
    order by d.position`;
}

/** Whether an installation's timeline tells of this kind of event for a sequence already. */
export async function hasEvent(
  db: Queryable,
  installationRef: number,
  kind: EventKind,
  seq: number,
): Promise<boolean> {
  const rows = await db`
    select 1 from event
    where installation_ref = ${installationRef} and kind = ${kind} and seq = ${seq} limit 1`;
  return rows.length > 0;
}

export interface TimelineEvent {
  readonly at: Date;
  readonly kind: EventKind;
  readonly source: EventSource;
  readonly requestId: string | null;
  readonly installationId: string;
  readonly userId: string | null;
  readonly appVersion: string | null;
  readonly sdkVersion: string | null;
  readonly oldToken: string | null;
  readonly newToken: string | null;
  readonly seq: number | null;
  readonly cause: string | null;
}

interface EventRow {
  readonly at: Date;
  readonly kind: EventKind;
  readonly source: EventSource;
  readonly request_id: string | null;
  readonly installation_id: string;
  readonly user_id: string | null;
  readonly app_version: string | null;
  readonly sdk_version: string | null;
  readonly old_token: string | null;
  readonly new_token: string | null;
  readonly seq: number | null;
  readonly cause: string | null;
}

/** The events of some installations, oldest first, the newest `limit` of them. */
export async function eventsOf(
  db: Queryable,
  installationRefs: readonly number[],
  limit: number,
): Promise<readonly TimelineEvent[]> {
  const rows = await db<EventRow[]>`
    select * from (
      select e.at, e.event_ref, e.kind, e.source, e.request_id, i.id as installation_id,
        u.id as user_id, e.app_version, e.sdk_version, e.old_token, e.new_token, e.seq, e.cause
      from event e join installation i using (installation_ref)
        left join app_user u on u.user_ref = e.user_ref
      where e.installation_ref = any(${[...installationRefs]})
      order by e.at desc, e.event_ref desc limit ${limit}
    ) newest order by at, event_ref`;
  return rows.map((row) => ({
    at: row.at,
    kind: row.kind,
    source: row.source,
    requestId: row.request_id,
    installationId: row.installation_id,
    userId: row.user_id,
    appVersion: row.app_version,
    sdkVersion: row.sdk_version,
    oldToken: row.old_token,
    newToken: row.new_token,
    seq: row.seq,
    cause: row.cause,
  }));
}
