import type { BegunLink, EndedLink, LinkEnd, TaggedLink } from '../domain/change-set.ts';
import { retirePurposeTokens } from './purpose-tokens.ts';
import { flight, json, type Queryable, type Transaction } from './sql.ts';

/**
 * Ends links with everything that depended on them: topics of the user, the word "only this
 * device", which was the user's and would silence the next one's other devices, and the purpose
 * tokens where nobody stays.
 */
export async function endLinks(tx: Transaction, ended: readonly EndedLink[]): Promise<void> {
  if (ended.length === 0) return;
  const rows = ended.map((link) => ({
    i: link.installationRef,
    u: link.userRef,
    at: link.at,
    by: link.endedBy,
    version: link.appVersion,
  }));
  await flight([
    tx`
      update link l set ended_at = e.at, ended_by = e.by, ended_app_version = e.version
      from jsonb_to_recordset(${json(rows)}) as
        e (i bigint, u bigint, at timestamptz, by text, version text)
      where l.installation_ref = e.i and l.user_ref = e.u and l.ended_at is null`.execute(),
    tx`
      delete from topic_subscription t
      using jsonb_to_recordset(${json(rows)}) as e (i bigint, u bigint)
      where t.installation_ref = e.i and t.user_ref = e.u`.execute(),
    tx`
      update installation i set preferences = i.preferences || '{"mode": "on"}'
      from jsonb_to_recordset(${json(rows)}) as e (i bigint)
      where i.installation_ref = e.i and i.preferences->>'mode' = 'only_this_device'`.execute(),
    retirePurposeTokens(
      tx,
      ended.filter(({ isLast }) => isLast),
    ),
  ]);
}

export async function beginLinks(
  tx: Transaction,
  appRef: number,
  begun: readonly BegunLink[],
): Promise<void> {
  if (begun.length === 0) return;
  const rows = begun.map(({ installationRef, exclusive, link }) => ({
    i: installationRef,
    u: link.userRef,
    exclusive,
    at: link.linkedAt,
    asserted_at: link.assertedAt,
    rcpt: link.rcpt,
  }));
  await tx`
    insert into link (app_ref, installation_ref, user_ref, exclusive, started_at, rcpt, asserted_at)
    select ${appRef}, b.i, b.u, b.exclusive, b.at, b.rcpt, b.asserted_at
    from jsonb_to_recordset(${json(rows)}) as b (i bigint, u bigint, exclusive boolean,
      at timestamptz, asserted_at timestamptz, rcpt text)`.execute();
}

/** Writes the addressee tags of links that stay. */
export async function tagLinks(tx: Transaction, tagged: readonly TaggedLink[]): Promise<void> {
  if (tagged.length === 0) return;
  const rows = tagged.map(({ installationRef, userRef, rcpt }) => ({
    i: installationRef,
    u: userRef,
    rcpt,
  }));
  await tx`
    update link l set rcpt = t.rcpt
    from jsonb_to_recordset(${json(rows)}) as t (i bigint, u bigint, rcpt text)
    where l.installation_ref = t.i and l.user_ref = t.u and l.ended_at is null`.execute();
}

/** Which of some users are or were signed in on an installation, as pairs `installation/user`. */
export async function findLinkedPairs(
  db: Queryable,
  installationRefs: readonly number[],
  userRefs: readonly number[],
): Promise<ReadonlySet<string>> {
  if (installationRefs.length === 0 || userRefs.length === 0) return new Set();
  const rows = await db<{ pair: string }[]>`
    select distinct installation_ref || '/' || user_ref as pair from link
    where installation_ref = any(${[...installationRefs]}) and user_ref = any(${[...userRefs]})`;
  return new Set(rows.map(({ pair }) => pair));
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

/** The link that ended last on each of some installations, by reference. */
export async function lastEndedLinks(
  db: Queryable,
  installationRefs: readonly number[],
): Promise<ReadonlyMap<number, LastLink>> {
  if (installationRefs.length === 0) return new Map();
  const rows = await db<(LastLink & { installationRef: number })[]>`
    select r.ref as "installationRef", l.id, l.ended_at as until, l.ended_by as "endedBy"
    from unnest(${[...installationRefs]}::bigint[]) as r (ref), lateral (
      select u.id, l.ended_at, l.ended_by
      from link l left join app_user u on u.user_ref = l.user_ref
      where l.installation_ref = r.ref and l.ended_at is not null
      order by l.link_ref desc limit 1
    ) l`;
  return new Map(rows.map(({ installationRef, ...last }) => [installationRef, last]));
}

/** When somebody was last signed out of some installations, by reference; none for never. */
export async function findLastEnds(
  db: Queryable,
  installationRefs: readonly number[],
): Promise<ReadonlyMap<number, Date>> {
  if (installationRefs.length === 0) return new Map();
  const rows = await db<{ installation_ref: number; at: Date }[]>`
    select installation_ref, max(ended_at) as at from link
    where installation_ref = any(${[...installationRefs]}) and ended_at is not null
    group by installation_ref`.execute();
  return new Map(rows.map((row) => [row.installation_ref, row.at]));
}

export interface LastLink {
  /** The customer's id; null once that user was erased. */
  readonly id: string | null;
  readonly until: Date;
  readonly endedBy: LinkEnd;
}

/** Where a user is and was signed in, newest first. */
export async function linksOfUser(
  db: Queryable,
  userRef: number,
  limit: number,
): Promise<readonly LinkPeriod[]> {
  const rows = await db<LinkPeriodRow[]>`
    select i.id as installation_id, l.installation_ref, u.id as user_id, l.started_at, l.ended_at,
      l.ended_by, l.ended_app_version
    from link l join installation i using (installation_ref)
      left join app_user u on u.user_ref = l.user_ref
    where l.user_ref = ${userRef}
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
