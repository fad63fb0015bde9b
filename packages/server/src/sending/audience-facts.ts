import assert from 'node:assert';
import { listId, type StoredAudience } from '../domain/audience.ts';
import { parseTopics, wantedTopics } from '../domain/topic-expression.ts';
import { findList } from '../store/audience-lists.ts';
import type { Queryable } from '../store/sql.ts';
import { hasUserSubscription } from '../store/topics.ts';

/** What is to be known of an audience before it is resolved. */
export interface AudienceFacts {
  /** Whether something of what goes to it may be bound to a user, as things are now. */
  readonly userBound: boolean;
  /** The list that is to be kept while it is needed. */
  readonly listRef: number | null;
}

/**
 * Null when the app has no such list. An expression that wants a topic to which a user is
 * subscribed is bound to users; where it is not, subscriptions that users make from now on are not
 * heeded, so that nothing of theirs lives longer at a provider than it may.
 */
export async function findAudienceFacts(
  db: Queryable,
  appRef: number,
  audience: StoredAudience,
): Promise<AudienceFacts | null> {
  if ('list' in audience) {
    const list = await findList(db, appRef, listId(audience.list));
    return list === null ? null : { userBound: list.namesUsers, listRef: list.ref };
  }
  if (!('topics' in audience)) return { userBound: 'users' in audience, listRef: null };
  const parsed = parseTopics(audience.topics);
  assert(parsed.kind === 'expression', 'what is no expression was refused');
  const wanted = [...wantedTopics(parsed.expression)];
  return { userBound: await hasUserSubscription(db, appRef, wanted), listRef: null };
}
