import type { WalkedAudience } from '../domain/audience.ts';
import type { Reachability } from '../domain/candidate.ts';
import type { Recipient } from '../domain/delivery.ts';
import type { TokenStatus } from '../domain/installation.ts';
import { coveringTopics, type TopicExpression } from '../domain/topic-expression.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import type { Fragment, Queryable } from './sql.ts';
import { listWalk } from './list-walk.ts';
import { fittingTopics, subscribedAfter } from './topic-walk.ts';
import type { WalkRange, WalkSource } from './walk-source.ts';

/** The cursor of a walk that has not begun. */
export const WALK_START = '';

/** Members of an audience that are reached, or not reached, in the same way. */
export interface CandidateGroup extends Reachability {
  readonly recipients: readonly Recipient[];
}

export interface WalkStep {
  /** Where the next step goes on; null when nobody is left. */
  readonly cursor: string | null;
  readonly groups: readonly CandidateGroup[];
}

interface StepRow {
  readonly place: string | null;
  readonly looked_at: number;
  /** Null, like what follows, where nobody who was looked at belongs to the audience. */
  readonly installation_refs: number[] | null;
  readonly user_refs: number[];
  readonly token_status: TokenStatus | null;
  readonly credential_ref: number | null;
  readonly dormant: boolean;
}

/**
 * One step of the walk over an audience, as it is at this moment: never by an offset, so that a
 * step costs the same wherever it begins, and so that a walk that was interrupted goes on where it
 * was. Removed installations are left out.
 *
 * The answer is a few rows with long arrays: 10,000 rows of their own take the driver ten times as
 * long to read.
 */
export async function walkAudience(
  db: Queryable,
  appRef: number,
  audience: WalkedAudience,
  range: WalkRange,
): Promise<WalkStep> {
  const { looked, members, last } = sourceOf(db, appRef, audience, range);
  const rows = await db<StepRow[]>`
    with looked as materialized (${looked}), member as (${members}), candidate as (
      select m.installation_ref, m.user_ref, i.token_status, c.credential_ref,
        i.dormant_since is not null as dormant
      from member m
        -- Looked up one by one: a join would read the whole table in every step.
        cross join lateral (
          select * from installation found where found.installation_ref = m.installation_ref
          offset 0
        ) i
        left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
      where i.removed_at is null
    ), grouped as (
      select token_status, credential_ref, dormant,
        array_agg(installation_ref order by installation_ref, user_ref) as installation_refs,
        array_agg(user_ref order by installation_ref, user_ref) as user_refs
      from candidate group by token_status, credential_ref, dormant
    )
    select (select (${last})::text from looked) as place,
      (select count(*) from looked) as looked_at, grouped.*
    from (values (true)) as step (taken) left join grouped on true`;
  const [first] = rows;
  if (first === undefined) throw new Error('a step of a walk has at least one row');
  const isLast = range.kind === 'among' || first.looked_at < range.limit;
  return { cursor: isLast ? null : first.place, groups: rows.flatMap(toGroup) };
}

function toGroup(row: StepRow): readonly CandidateGroup[] {
  if (row.installation_refs === null) return [];
  const recipients = row.installation_refs.map((installationRef, index) => ({
    installationRef,
    userRef: row.user_refs[index] ?? 0,
  }));
  return [
    {
      tokenStatus: row.token_status,
      credentialRef: row.credential_ref,
      isDormant: row.dormant,
      recipients,
    },
  ];
}

function sourceOf(
  db: Queryable,
  appRef: number,
  audience: WalkedAudience,
  range: WalkRange,
): WalkSource {
  switch (audience.kind) {
    case 'everyone':
      return {
        looked: installationsIn(db, appRef, range),
        members: db`select place as installation_ref, 0::bigint as user_ref from looked`,
        last: db`max(place)`,
      };
    case 'topics':
      return {
        looked: subscribedIn(db, appRef, audience.expression, range),
        members: fittingTopics(db, audience),
        last: db`max(place)`,
      };
    case 'list':
      return listWalk(db, appRef, audience.id, range);
  }
}

/**
 * Those among whom everybody is who fits an expression: who has one of its topics, where nobody
 * fits without any, and all installations of the app otherwise.
 */
function subscribedIn(
  db: Queryable,
  appRef: number,
  expression: TopicExpression,
  range: WalkRange,
): Fragment {
  const topics = coveringTopics(expression);
  return topics === null || range.kind === 'among'
    ? installationsIn(db, appRef, range)
    : subscribedAfter(db, appRef, [...topics], range);
}

/** Installations of an app, by reference. */
function installationsIn(db: Queryable, appRef: number, range: WalkRange): Fragment {
  if (range.kind === 'among') {
    return db`
      select installation_ref as place from installation
      where app_ref = ${appRef} and installation_ref = any(${[...range.installationRefs]})`;
  }
  return db`
    select installation_ref as place from installation
    where app_ref = ${appRef} and installation_ref > ${Number(range.cursor)}
      and removed_at is null
    order by installation_ref limit ${range.limit}`;
}
