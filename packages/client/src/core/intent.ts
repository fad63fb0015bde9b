import { newcomer, type Memory, type Receipt, type Tags, type WantedUser } from './memory.ts';

/** What apps can want, each a change of the memory and nothing else. */

/** Some thousand bytes; a device that is offline for longer forgets the oldest. */
const MAX_RECEIPTS = 500;

/** Whoever signs in has to be vouched for, unless the server knows of the user already. */
export function signIn(memory: Memory, userId: string, accounts: 'one' | 'several'): Memory {
  if (memory.users.some(({ id }) => id === userId)) return memory;
  if (accounts === 'several') return { ...memory, users: [...memory.users, newcomer(userId)] };
  const [last] = memory.users;
  const instead = last?.isLinked === true ? last.id : (last?.instead ?? null);
  return { ...withoutUsers(memory, memory.users), users: [newcomer(userId, instead)] };
}

/**
 * Rule R5: everything of a user goes at once, what waits to be sent included, and the marker goes
 * out before anything else. What was sent may still be under way, so that the next packet says all
 * again under a higher sequence. Nobody there: the same memory.
 */
export function signOut(memory: Memory, userId: string | null): Memory {
  const leaving = memory.users.filter(({ id }) => userId === null || id === userId);
  return leaving.length === 0 ? memory : withLogout(withoutUsers(memory, leaving), userId);
}

/** Has the server sign somebody out, whether or not the app knows of the user. */
export function withLogout(memory: Memory, userId: string | null): Memory {
  const seq = memory.seq + 1;
  const isLast = userId === null || memory.users.length === 0;
  const logouts = isLast ? [{ userId: null, seq }] : [...memory.logouts, { userId, seq }];
  return { ...memory, seq, sent: null, logouts };
}

/**
 * Tags of users and their topics end with them. Nobody can tell which of several users the tags are
 * of, so that they end with the first.
 */
export function withoutUsers(memory: Memory, leaving: readonly WantedUser[]): Memory {
  if (leaving.length === 0) return memory;
  const ids = new Set<string | null>(leaving.map(({ id }) => id));
  return {
    ...memory,
    users: memory.users.filter(({ id }) => !ids.has(id)),
    isScreenStale: true,
    tags: memory.tags === null ? null : {},
    topics: memory.topics.filter(({ userId }) => !ids.has(userId)),
  };
}

export function setTags(memory: Memory, tags: Tags): Memory {
  return { ...memory, tags };
}

export function setDeviceTags(memory: Memory, deviceTags: Tags): Memory {
  return { ...memory, deviceTags };
}

export function setUnsubscribed(memory: Memory, isUnsubscribed: boolean): Memory {
  return memory.isUnsubscribed === isUnsubscribed ? memory : { ...memory, isUnsubscribed };
}

/** A topic that is as wanted already stays as it is, acknowledged or not. */
export function wantTopic(
  memory: Memory,
  name: string,
  isWanted: boolean,
  userId: string | null,
): Memory {
  const held = memory.topics.find((topic) => topic.name === name);
  if (held?.isWanted === isWanted && (!isWanted || held.userId === userId)) return memory;
  const others = memory.topics.filter((topic) => topic !== held);
  const topic = { name, userId, isWanted, seq: null, isAcknowledged: false };
  return { ...memory, topics: [...others, topic] };
}

/** Once for each kind. */
export function addReceipt(memory: Memory, receipt: Receipt): Memory {
  const isKnown = memory.receipts.some(
    ({ notification_id: id, kind }) => id === receipt.notification_id && kind === receipt.kind,
  );
  if (isKnown) return memory;
  return { ...memory, receipts: [...memory.receipts, receipt].slice(-MAX_RECEIPTS) };
}
