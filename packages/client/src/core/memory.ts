import type { Identity } from './identity.ts';
import type { ReceiptKind } from './push-client.ts';

/**
 * What outlives the process: who this installation is, what the app wants of it, and how much of
 * that the server has acknowledged. A value; whatever changes it gives another one.
 */
export interface Memory extends Identity {
  readonly version: 1;
  /** The highest sequence that was given away. */
  readonly seq: number;
  /** The server has answered for this id, so that it knows it unless it lost it. */
  readonly isEnrolled: boolean;
  /** When the id before this one was given up, in milliseconds since 1970; null for the first. */
  readonly enrolledAnewAt: number | null;
  /** The server knew of a higher sequence than this memory ever gave away. */
  readonly wasOvertaken: boolean;
  readonly isUnsubscribed: boolean;
  readonly users: readonly WantedUser[];
  /** Somebody has left, and what was shown to them may still be there. */
  readonly isScreenStale: boolean;
  /** Of the user and of the device; null where the app never set any, so that they are left out. */
  readonly tags: Tags | null;
  readonly deviceTags: Tags | null;
  /** In the order in which they go out, before anything else. */
  readonly logouts: readonly PendingLogout[];
  /** The last packet; null where the next one takes a new sequence, whatever it says. */
  readonly sent: SentPacket | null;
  readonly topics: readonly WantedTopic[];
  readonly receipts: readonly Receipt[];
}

export interface WantedUser {
  readonly id: string;
  /** What vouches, until the server has the user; null where it is still to be had. */
  readonly proof: ProofMembers | null;
  /** The proof went out before, so that it may be used up or too old by now. */
  readonly isWorn: boolean;
  /** The server has said that the user is signed in here, which no proof is needed for any more. */
  readonly isLinked: boolean;
  /** Whom the server had when this one came instead; null for nobody. */
  readonly instead: string | null;
}

/** As the packet has them, beside the user's id. */
export interface ProofMembers {
  readonly assertion?: string;
  readonly signature?: string;
}

export interface PendingLogout {
  /** Null for everybody. */
  readonly userId: string | null;
  readonly seq: number;
}

export interface SentPacket {
  readonly seq: number;
  /** Of its content; the content itself is not kept, because it holds the token. */
  readonly digest: string;
  readonly isAcknowledged: boolean;
}

export interface WantedTopic {
  readonly name: string;
  /** Whose subscription it is; null for the device's. */
  readonly userId: string | null;
  readonly isWanted: boolean;
  readonly seq: number;
  readonly isAcknowledged: boolean;
}

export interface Receipt {
  readonly notification_id: string;
  readonly kind: ReceiptKind;
  readonly at: string;
}

export type Tags = Readonly<Record<string, string>>;

/** What an installation knows that was never started before. */
export function freshMemory(identity: Identity): Memory {
  return {
    version: 1,
    ...identity,
    seq: 0,
    isEnrolled: false,
    enrolledAnewAt: null,
    wasOvertaken: false,
    isUnsubscribed: false,
    users: [],
    isScreenStale: false,
    tags: null,
    deviceTags: null,
    logouts: [],
    sent: null,
    topics: [],
    receipts: [],
  };
}

/** A user whom somebody has to vouch for. */
export function newcomer(id: string, instead: string | null = null): WantedUser {
  return { id, proof: null, isWorn: false, isLinked: false, instead };
}

/**
 * Reads what `JSON.stringify` wrote of a memory; null for anything else. The client alone writes
 * the text: one that parses is whole, and its version tells what is in it.
 */
export function parseMemory(text: string | null): Memory | null {
  try {
    const memory = JSON.parse(text ?? '') as Partial<Memory> | null;
    return memory?.version === 1 ? (memory as Memory) : null;
  } catch {
    return null;
  }
}

/**
 * Other users in place of those that there are. Tags of users and their topics end with them.
 * Nobody can tell which of several users the tags are of, so that they end with the first.
 */
export function withUsers(memory: Memory, users: readonly WantedUser[]): Memory {
  const ids = new Set<string | null>([null, ...users.map(({ id }) => id)]);
  const next = { ...memory, users };
  if (memory.users.every(({ id }) => ids.has(id))) return next;
  return {
    ...next,
    isScreenStale: true,
    tags: memory.tags && {},
    topics: memory.topics.filter(({ userId }) => ids.has(userId)),
  };
}

/** Has the server sign somebody out, whether or not the app knows of the user. */
export function withLogout(memory: Memory, userId: string | null): Memory {
  const seq = memory.seq + 1;
  const isLast = userId === null || memory.users.length === 0;
  const logouts = isLast ? [{ userId: null, seq }] : [...memory.logouts, { userId, seq }];
  return { ...memory, seq, sent: null, logouts };
}
