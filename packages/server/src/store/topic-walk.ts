import type { WalkedAudience } from '../domain/audience.ts';
import { namedTopics, wantedTopics, type TopicExpression } from '../domain/topic-expression.ts';
import type { Fragment, Queryable } from './sql.ts';

/**
 * The installations with a subscription to one of some topics, from a place on. Each topic gives
 * its first ones, of which the first are taken: a single scan for all topics would be in their
 * order, and read what is left of each of them in every step.
 */
export function subscribedAfter(
  db: Queryable,
  appRef: number,
  topics: readonly string[],
  { cursor, limit }: { readonly cursor: string; readonly limit: number },
): Fragment {
  return db`
    select distinct found.installation_ref as place
    from unnest(${[...topics]}::text[]) as wanted (topic) cross join lateral (
      select distinct s.installation_ref from topic_subscription s
      where s.app_ref = ${appRef} and s.topic = wanted.topic
        and s.installation_ref > ${Number(cursor)}
      order by s.installation_ref limit ${limit}
    ) found
    order by place limit ${limit}`;
}

/**
 * Who of the installations in `looked` fits an expression, each seen in turn as a device and, where
 * subscriptions of users count, as each user who wants one of the topics:
 *
 * - the device has its own topics, and must be without those of anybody, since a user who is not to
 *   get something looks at the same screen;
 * - a user has the device's topics and the user's own.
 *
 * Where the device fits, it gets the notification once, for nobody in particular.
 */
export function fittingTopics(
  db: Queryable,
  { expression, forUsers }: Extract<WalkedAudience, { readonly kind: 'topics' }>,
): Fragment {
  const users = forUsers
    ? db`union select s.user_ref from topic_subscription s
        where s.installation_ref = looked.place
          and s.topic = any(${[...wantedTopics(expression)]}::text[])`
    : db``;
  return db`
    select installation_ref, user_ref from (
      select v.*, bool_or(v.user_ref = 0) over (partition by v.installation_ref) as device_fits
      from looked cross join lateral (
        select looked.place as installation_ref, viewer.user_ref,
          array(select s.topic from topic_subscription s
            where s.installation_ref = looked.place
              and s.topic = any(${[...namedTopics(expression)]}::text[])
              and s.user_ref in (0, viewer.user_ref)) as held,
          array(select s.topic from topic_subscription s
            where s.installation_ref = looked.place
              and s.topic = any(${[...namedTopics(expression)]}::text[])
              and (viewer.user_ref = 0 or s.user_ref in (0, viewer.user_ref))) as held_by_any
        from (select 0::bigint as user_ref ${users}) viewer
      ) v
      where ${condition(db, expression)}
    ) fitting
    where user_ref = 0 or not device_fits`;
}

function condition(db: Queryable, expression: TopicExpression): Fragment {
  if (expression.kind === 'topic') {
    return expression.negated
      ? db`${expression.topic}::text <> all(v.held_by_any)`
      : db`${expression.topic}::text = any(v.held)`;
  }
  const parts = expression.parts.map((part) => condition(db, part));
  const all = expression.kind === 'and';
  return parts.reduce((left, right) =>
    all ? db`(${left} and ${right})` : db`(${left} or ${right})`,
  );
}
