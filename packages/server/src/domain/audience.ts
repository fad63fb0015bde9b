import assert from 'node:assert';
import { parseTopics, type TopicExpression } from './topic-expression.ts';
import { parseTypedId } from './typed-id.ts';

/** As it came, and as it is stored with its notification. */
export type StoredAudience =
  | { readonly users: readonly string[] }
  | { readonly installations: readonly string[] }
  | { readonly everyone: true }
  | { readonly topics: string }
  /** `aud_…` */
  | { readonly list: string };

/** An audience that no request could name: it is walked by key when it is expanded. */
export type WalkedAudience =
  | { readonly kind: 'everyone' }
  | {
      readonly kind: 'topics';
      readonly expression: TopicExpression;
      /** Whether subscriptions of users count, and not of devices only. */
      readonly forUsers: boolean;
    }
  /** By its UUID. */
  | { readonly kind: 'list'; readonly id: string };

/** Null for one that names its users or installations. `isUserBound` as it was on acceptance. */
export function walkedAudience(
  stored: StoredAudience,
  isUserBound: boolean,
): WalkedAudience | null {
  if ('everyone' in stored) return { kind: 'everyone' };
  if ('topics' in stored) {
    const parsed = parseTopics(stored.topics);
    assert(parsed.kind === 'expression', 'what is no expression was refused');
    return { kind: 'topics', expression: parsed.expression, forUsers: isUserBound };
  }
  return 'list' in stored ? { kind: 'list', id: listId(stored.list) } : null;
}

/** The UUID of a list; one whose id cannot be any has that of none. */
export function listId(list: string): string {
  return parseTypedId('aud', list) ?? NIL;
}

/** RFC 9562, section 5.9: the id of nothing. */
const NIL = '00000000-0000-0000-0000-000000000000';

/** Whether an audience is walked, and not named. */
export function isWalked(stored: StoredAudience): boolean {
  return !('users' in stored || 'installations' in stored);
}
