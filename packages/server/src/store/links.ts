import { retirePurposeTokens } from './purpose-tokens.ts';
import type { Fragment, Queryable, Transaction } from './sql.ts';

export type LinkEnd = 'logout' | 'switched' | 'revoked' | 'deleted' | 'removed';

export interface NewLink {
  readonly appRef: number;
  readonly installationRef: number;
  readonly userRef: number;
  readonly exclusive: boolean;
  readonly startedAt: Date;
  readonly rcpt: string | null;
  readonly assertedAt: Date | null;
}

export async function openLink(tx: Transaction, link: NewLink): Promise<void> {
  await tx`
    insert into link (app_ref, installation_ref, user_ref, exclusive, started_at, rcpt, asserted_at)
    values (${link.appRef}, ${link.installationRef}, ${link.userRef}, ${link.exclusive},
      ${link.startedAt}, ${link.rcpt}, ${link.assertedAt})`;
}

/**
 * Ends the open link of an installation with everything that depended on the user: topics of the
 * user, purpose tokens, and tags that were set while the user was signed in.
 */
export async function closeLink(
  tx: Transaction,
  installationRef: number,
  endedBy: LinkEnd,
  now: Date,
): Promise<void> {
  await tx`
    update link set ended_at = ${now}, ended_by = ${endedBy},
      ended_app_version = (select app_version from installation i
        where i.installation_ref = link.installation_ref)
    where installation_ref = ${installationRef} and ended_at is null`;
  await tx`
    delete from topic_subscription where installation_ref = ${installationRef} and user_ref <> 0`;
  await retirePurposeTokens(tx, installationRef, now);
}

/** When the proof of an open link was issued, or the link made; null without an open link. */
export async function linkBoundAt(db: Queryable, installationRef: number): Promise<Date | null> {
  const [row] = await db<{ bound_at: Date }[]>`
    select coalesce(asserted_at, started_at) as bound_at from link
    where installation_ref = ${installationRef} and ended_at is null
    order by link_ref desc limit 1`;
  return row?.bound_at ?? null;
}

/** Whether a user is or was signed in on an installation. */
export async function wasEverLinked(
  db: Queryable,
  installationRef: number,
  userRef: number,
): Promise<boolean> {
  const rows = await db`
    select 1 from link where installation_ref = ${installationRef} and user_ref = ${userRef} limit 1`;
  return rows.length > 0;
}

export interface LinkPeriod {
  readonly installationId: string;
  readonly installationRef: number;
  readonly userId: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly endedBy: LinkEnd | null;
  readonly endedAppVersion: string | null;
}

interface LinkPeriodRow {
  readonly installation_id: string;
  readonly installation_ref: number;
  readonly user_id: string | null;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly ended_by: LinkEnd | null;
  readonly ended_app_version: string | null;
}

/** Where a user is and was signed in, newest first. */
export function linksOfUser(
  db: Queryable,
  userRef: number,
  limit: number,
): Promise<readonly LinkPeriod[]> {
  return newestLinks(db, db`l.user_ref = ${userRef}`, limit);
}

/** Who was signed in on an installation, newest first; erased users have no id any more. */
export function linksOfInstallation(
  db: Queryable,
  installationRef: number,
  limit: number,
): Promise<readonly LinkPeriod[]> {
  return newestLinks(db, db`l.installation_ref = ${installationRef}`, limit);
}

async function newestLinks(
  db: Queryable,
  condition: Fragment,
  limit: number,
): Promise<readonly LinkPeriod[]> {
  const rows = await db<LinkPeriodRow[]>`
    select i.id as installation_id, l.installation_ref, u.id as user_id, l.started_at, l.ended_at,
      l.ended_by, l.ended_app_version
    from link l join installation i using (installation_ref)
      left join app_user u on u.user_ref = l.user_ref
    where ${condition}
    order by l.link_ref desc limit ${limit}`;
  return rows.map(toLinkPeriod);
}

function toLinkPeriod(row: LinkPeriodRow): LinkPeriod {
  return {
    installationId: row.installation_id,
    installationRef: row.installation_ref,
    userId: row.user_id,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    endedBy: row.ended_by,
    endedAppVersion: row.ended_app_version,
  };
}
