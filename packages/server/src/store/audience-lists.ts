import type { AudienceMember } from '../domain/audience-line.ts';
import type { Recipient } from '../domain/delivery.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Variables } from '../domain/notification.ts';
import { arrayText } from './array-text.ts';
import type { Database, Queryable, Transaction } from './sql.ts';

/** An uploaded list that a notification may use. */
export interface AudienceList {
  readonly ref: number;
  readonly namesUsers: boolean;
}

/** Begins a list that nobody can use before it is completed. Returns its reference. */
export async function beginList(
  db: Queryable,
  appRef: number,
  id: string,
  now: Date,
): Promise<number> {
  const [row] = await db<{ audience_ref: number }[]>`
    insert into audience (app_ref, id, created_at, needed_until)
    values (${appRef}, ${id}, ${now}, ${now}) returning audience_ref`;
  if (row === undefined) throw new Error('insert returned no list');
  return row.audience_ref;
}

/** Adds members, none of them twice; what was said last about one of the list counts. */
export async function addMembers(
  tx: Transaction,
  listRef: number,
  members: readonly AudienceMember[],
): Promise<void> {
  await tx`
    insert into audience_member (audience_ref, kind, id, variables)
    select ${listRef}, m.kind, m.id, m.variables::jsonb
    from unnest(${arrayText(members.map(({ kind }) => kind))}::text::text[],
      ${arrayText(members.map(({ id }) => id))}::text::text[],
      ${arrayText(members.map(({ variables }) => variables))}::text::text[])
      as m (kind, id, variables)
    on conflict (audience_ref, kind, id) do update set variables = excluded.variables`;
}

/** Makes a list one that can be used; returns how many members it has. */
export async function completeList(tx: Transaction, listRef: number, now: Date): Promise<number> {
  const [row] = await tx<{ members: number }[]>`
    with counted as (
      select count(*) filter (where kind = 'user') as users,
        count(*) filter (where kind = 'installation') as installations,
        coalesce(bool_or(variables is not null), false) as has_variables
      from audience_member where audience_ref = ${listRef}
    )
    update audience a set users = k.users, installations = k.installations,
      has_variables = k.has_variables, completed_at = ${now}
    from counted k where a.audience_ref = ${listRef}
    returning a.users + a.installations as members`;
  if (row === undefined) throw new Error(`list ${listRef} is gone`);
  return row.members;
}

/** Leaves a list to the maintenance unless it was completed; true when it was not. */
export async function abandonList(db: Queryable, listRef: number): Promise<boolean> {
  const rows = await db`
    update audience set needed_until = '-infinity'
    where audience_ref = ${listRef} and completed_at is null returning 1`;
  return rows.length === 1;
}

/** Null when the app has no such list. In a transaction it stays until the end of that. */
export async function findList(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<AudienceList | null> {
  const [row] = await db<AudienceList[]>`
    select audience_ref as ref, users > 0 as "namesUsers" from audience
    where app_ref = ${appRef} and id = ${id} and completed_at is not null for no key update`;
  return row ?? null;
}

/** What is known of a completed list. */
export interface ListSummary {
  readonly id: string;
  readonly users: number;
  readonly installations: number;
  readonly hasVariables: boolean;
  readonly createdAt: Date;
  readonly neededUntil: Date;
}

/** Null when the app has no such list, or one that is not complete. */
export async function summarizeList(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<ListSummary | null> {
  const [row] = await db<ListSummary[]>`
    select id, users, installations, has_variables as "hasVariables", created_at as "createdAt",
      needed_until as "neededUntil"
    from audience where app_ref = ${appRef} and id = ${id} and completed_at is not null`;
  return row ?? null;
}

/** Keeps a list for as long as something that uses it may still be sent. */
export async function keepList(tx: Transaction, listRef: number, until: Date): Promise<void> {
  await tx`
    update audience set needed_until = greatest(needed_until, ${until})
    where audience_ref = ${listRef}`;
}

/** What a list says about some recipients, by `variablesKey`; those without are left out. */
export async function variablesOfList(
  db: Queryable,
  listRef: number,
  recipients: readonly Recipient[],
): Promise<ReadonlyMap<string, Variables>> {
  const rows = await db<{ installation_ref: number; user_ref: number; variables: Variables }[]>`
    with slice as (
      select * from unnest(${recipients.map((one) => one.installationRef)}::bigint[],
        ${recipients.map((one) => one.userRef)}::bigint[]) as s (installation_ref, user_ref)
    )
    select s.installation_ref, s.user_ref, m.variables
    from slice s join app_user u using (user_ref)
      join audience_member m on m.audience_ref = ${listRef} and m.kind = 'user' and m.id = u.id
    where m.variables is not null
    union all
    select s.installation_ref, s.user_ref, m.variables
    from slice s join installation i using (installation_ref)
      join audience_member m on m.audience_ref = ${listRef} and m.kind = 'installation'
        and m.id = i.id::text
    where s.user_ref = 0 and m.variables is not null`;
  return new Map(
    rows.map((row) => [
      variablesKey({ installationRef: row.installation_ref, userRef: row.user_ref }),
      row.variables,
    ]),
  );
}

export function variablesKey({ installationRef, userRef }: Recipient): string {
  return `${installationRef}/${userRef}`;
}

/** Takes an erased user out of every list of the app, also out of such as are being uploaded. */
export async function leaveLists(tx: Transaction, appRef: number, userId: string): Promise<void> {
  await tx`
    delete from audience_member m using audience a
    where a.app_ref = ${appRef} and m.audience_ref = a.audience_ref
      and m.kind = 'user' and m.id = ${userId}`;
}

const MEMBERS = 10_000;
/** What began so long after the lists that are dropped, which is a day ago, has come to nothing. */
const UPLOAD_MS = (LIMITS.audienceDays - 1) * 24 * 60 * 60 * 1_000;

/**
 * Drops some of the lists that nobody has needed since a moment, and of uploads that a day ago were
 * not complete. A list is closed first, so that no notification finds half of it.
 */
export async function dropLists(db: Database, before: Date): Promise<number> {
  const abandoned = new Date(before.getTime() + UPLOAD_MS);
  const closed = await db`
    update audience set completed_at = null, needed_until = '-infinity'
    where needed_until < ${before} and completed_at is not null returning 1`;
  const [list] = await db<{ audience_ref: number }[]>`
    select audience_ref from audience
    where completed_at is null and (needed_until < ${before} or created_at < ${abandoned})
    order by audience_ref limit 1`;
  if (list === undefined) return closed.length;
  const members = await db`
    delete from audience_member where audience_ref = ${list.audience_ref} and (kind, id) in (
      select kind, id from audience_member where audience_ref = ${list.audience_ref}
      order by kind, id limit ${MEMBERS})
    returning 1`;
  if (members.length === 0)
    await db`delete from audience where audience_ref = ${list.audience_ref}`;
  return members.length + 1;
}
