import assert from 'node:assert';
import type { StoredAudience } from '../domain/audience.ts';
import { parseTopics, wantedTopics } from '../domain/topic-expression.ts';
import type { Queryable } from '../store/sql.ts';
import { hasUserSubscription } from '../store/topics.ts';

/**
 * Whether something of what goes to an audience may be bound to a user, as things are now. An
 * expression that wants a topic to which a user is subscribed is; where it is not, subscriptions
 * that users make from now on are not heeded, so that nothing of theirs lives longer at a provider
 * than it may.
 */
export async function isBoundToUsers(
  db: Queryable,
  appRef: number,
  audience: StoredAudience,
): Promise<boolean> {
  if ('users' in audience) return true;
  if (!('topics' in audience)) return false;
  const parsed = parseTopics(audience.topics);
  assert(parsed.kind === 'expression', 'what is no expression was refused');
  return hasUserSubscription(db, appRef, [...wantedTopics(parsed.expression)]);
}
