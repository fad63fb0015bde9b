import type { EventDraft, EventKind, EventSource, EventStamp } from '../domain/event.ts';
import { arrayText, type ArrayElement } from './array-text.ts';
import type { Queryable, Transaction } from './sql.ts';

/** The same, and the app that the change was made in. */
export type EventContext = EventStamp & { readonly appRef: number };

/** Writes the events of one change to the timeline, in the transaction of the change. */
export async function appendEvents(
  tx: Transaction,
  { appRef, ...stamp }: EventContext,
  drafts: readonly EventDraft[],
): Promise<void> {
  await writeEvents(
    tx,
    appRef,
    drafts.map((draft) => ({ ...draft, ...stamp })),
  );
}

/**
 * Writes events to the timeline and to the outbox, in the transaction of the changes they tell of.
 * The app and SDK versions are those that the installations had reported by then. Left out is what
 * is to be told once and was.
 */
export async function writeEvents(
  tx: Transaction,
  appRef: number,
  events: readonly (EventDraft & EventStamp)[],
): Promise<void> {
  if (events.length === 0) return;
  const column = (of: (event: EventDraft & EventStamp) => ArrayElement | undefined): string =>
    arrayText(events.map((event) => of(event) ?? null));
  await tx`
    with draft as (
      select p.place, i.installation_ref, i.id, i.app_version, i.sdk_version, g.at[p.place] as at,
        g.source[p.place] as source, g.request_id[p.place] as request_id, g.kind[p.place] as kind,
        g.user_ref[p.place] as user_ref, g.old_token[p.place] as old_token,
        g.new_token[p.place] as new_token, g.seq[p.place] as seq, g.cause[p.place] as cause
      from (
        select
          ${column(({ at }) => at)}::text::timestamptz[] as at,
          ${column(({ source }) => source)}::text::text[] as source,
          ${column(({ requestId }) => requestId)}::text::text[] as request_id,
          ${column(({ installationRef }) => installationRef)}::text::bigint[] as installation_ref,
          ${column(({ kind }) => kind)}::text::text[] as kind,
          ${column(({ userRef }) => userRef)}::text::bigint[] as user_ref,
          ${column(({ oldToken }) => oldToken)}::text::text[] as old_token,
          ${column(({ newToken }) => newToken)}::text::text[] as new_token,
          ${column(({ seq }) => seq)}::text::bigint[] as seq,
          ${column(({ cause }) => cause)}::text::text[] as cause,
          ${column(isToldOnce)}::text::boolean[] as once
        -- Hides the length of the arrays from the planner, as listOf does.
        offset 0) g,
        unnest(g.installation_ref) with ordinality as p (installation_ref, place)
        join installation i using (installation_ref)
      where not g.once[p.place] or not exists (
        select 1 from event told
        where told.installation_ref = p.installation_ref and told.kind = g.kind[p.place]
          and told.seq = g.seq[p.place])
    ), timeline as (
      insert into event (at, app_ref, installation_ref, user_ref, kind, source, request_id,
        app_version, sdk_version, old_token, new_token, seq, cause)
      select d.at, ${appRef}, d.installation_ref, d.user_ref, d.kind, d.source, d.request_id,
        d.app_version, d.sdk_version, d.old_token, d.new_token, d.seq, d.cause
      from draft d
      order by d.place
    )
    insert into outbox (app_ref, at, kind, subject)
    select ${appRef}, d.at, d.kind, jsonb_build_object('installation', d.id)
    from draft d
    order by d.place`.execute();
}

function isToldOnce({ once, seq }: EventDraft): boolean {
  return once === true && (seq ?? null) !== null;
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
