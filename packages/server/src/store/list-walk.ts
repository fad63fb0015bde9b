import type { Fragment, Queryable } from './sql.ts';
import type { WalkRange, WalkSource } from './walk-source.ts';

/**
 * The walk over the members of an uploaded list, from the end of its key, so that users come before
 * installations. A device that names itself and whose user is listed is left to its user's line; if
 * it came before that line, a sign-in between the two steps would have it reached by both.
 */
export function listWalk(
  db: Queryable,
  appRef: number,
  listId: string,
  range: WalkRange,
): WalkSource {
  const list = db`(select audience_ref from audience where app_ref = ${appRef} and id = ${listId})`;
  return {
    looked:
      range.kind === 'among'
        ? membersAmong(db, appRef, list, range.installationRefs)
        : membersAfter(db, list, range),
    members: whereMembersAre(db, appRef, list),
    last: db`min(place)`,
  };
}

function membersAfter(
  db: Queryable,
  list: Fragment,
  { cursor, limit }: { readonly cursor: string; readonly limit: number },
): Fragment {
  const slash = cursor.indexOf('/');
  const [kind, id] = [cursor.slice(0, Math.max(0, slash)), cursor.slice(slash + 1)];
  const after = cursor === '' ? db`` : db`and (kind, id) < (${kind}, ${id})`;
  return db`
    select kind || '/' || id as place, kind, id from audience_member
    where audience_ref = ${list} ${after}
    order by kind desc, id desc limit ${limit}`;
}

/** What a list says about some installations, or about who is signed in there. */
function membersAmong(
  db: Queryable,
  appRef: number,
  list: Fragment,
  installationRefs: readonly number[],
): Fragment {
  return db`
    select m.kind || '/' || m.id as place, m.kind, m.id from (
      select 'installation' as kind, i.id::text as id from installation i
      where i.app_ref = ${appRef} and i.installation_ref = any(${[...installationRefs]})
      union
      select 'user', u.id from link l join app_user u using (user_ref)
      where l.installation_ref = any(${[...installationRefs]}) and l.ended_at is null
    ) named join audience_member m
      on m.audience_ref = ${list} and m.kind = named.kind and m.id = named.id`;
}

/**
 * Where the users in `looked` are signed in, and its installations. A device that the list reaches
 * through its user is not reached once more by its own line. Each is looked up by itself: joins
 * would read whole tables in every step.
 */
function whereMembersAre(db: Queryable, appRef: number, list: Fragment): Fragment {
  return db`
    select l.installation_ref, u.user_ref
    from looked
      cross join lateral (
        select user_ref from app_user
        where app_ref = ${appRef} and id = looked.id and looked.kind = 'user' offset 0
      ) u
      cross join lateral (
        select installation_ref from link
        where user_ref = u.user_ref and ended_at is null offset 0
      ) l
    union all
    select i.installation_ref, 0
    from looked
      cross join lateral (
        select installation_ref from installation
        where app_ref = ${appRef}
          and id = case when looked.kind = 'installation' then looked.id::uuid end
        offset 0
      ) i
    where not exists (
      select 1 from link l join app_user u using (user_ref)
        join audience_member m on m.audience_ref = ${list} and m.kind = 'user' and m.id = u.id
      where l.installation_ref = i.installation_ref and l.ended_at is null offset 0)`;
}
