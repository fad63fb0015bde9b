import type { Live } from './live.ts';
import type { Memory, WantedTopic } from './memory.ts';
import type { MemoryChange } from './memory-store.ts';
import { nameable, stateOf, type State, type StateOptions } from './state.ts';
import type { Step } from './step.ts';

/** A state and its digest, which is made outside of the step that changes the memory. */
export interface Prepared {
  readonly state: State;
  readonly text: string;
  readonly digest: string;
}

const RECEIPTS_AT_ONCE = 100;

/**
 * The next step and the memory that has to be durable before it is taken. In this order: logouts
 * (rule R5), whoever has to be vouched for, the complete state, topics, receipts.
 */
export function plan(
  memory: Memory,
  live: Live,
  prepared: Prepared | null,
  now: number,
  options: StateOptions,
): MemoryChange<Step> {
  const [logout] = memory.logouts;
  const next: MemoryChange<Step> =
    logout === undefined
      ? planState(memory, live, prepared, now, options)
      : [memory, { kind: 'logout', logout }];
  const waits = now < live.sendAt && !['idle', 'again'].includes(next[1].kind);
  return waits ? [memory, idle(live.sendAt)] : next;
}

function planState(
  memory: Memory,
  live: Live,
  prepared: Prepared | null,
  now: number,
  options: StateOptions,
): MemoryChange<Step> {
  if (prepared === null) return planRest(memory, null);
  const unproven = memory.users.find(
    ({ id, isLinked, proof }) => !isLinked && proof === null && live.vouched.has(id),
  );
  if (unproven !== undefined && now >= live.proveAt) {
    return [memory, { kind: 'prove', userId: unproven.id }];
  }
  // Somebody may have changed it since the digest was made.
  const state = stateOf(memory, live, options);
  if (state === null || textOf(state) !== prepared.text) return [memory, { kind: 'again' }];
  if (isDue(memory, live, prepared)) return planPacket(memory, live, prepared);
  return planRest(memory, unproven === undefined ? null : live.proveAt);
}

export function textOf(state: State): string {
  return JSON.stringify(state);
}

/**
 * Whether the server may not have heard the state. What another context brought there last counts
 * as heard where this one has nothing new to say: two that see the device differently would take
 * turns for ever.
 */
export function isDue(
  { sent }: Memory,
  { acknowledged, refused, takeover }: Live,
  { text, digest }: Prepared,
): boolean {
  if (text === refused) return false;
  if (acknowledged === null || takeover !== null || sent === null) return true;
  return !sent.isAcknowledged || (sent.digest !== digest && text !== acknowledged);
}

/** What was said last is repeated under its sequence; anything else takes the next one. */
function planPacket(
  memory: Memory,
  { takeover }: Live,
  { state, text, digest }: Prepared,
): MemoryChange<Step> {
  const repeated = memory.sent?.digest === digest ? memory.sent : null;
  const sent = repeated ?? { seq: memory.seq + 1, digest, isAcknowledged: false };
  const { seq } = sent;
  const users = nameable(memory);
  const named = users.map(({ id, isLinked, proof }) => ({ id, ...(!isLinked && proof) }));
  const body = JSON.stringify({
    seq,
    ...state,
    ...('users' in state ? { users: named } : { user: named[0] ?? null }),
    ...(takeover !== null && { takeover }),
  });
  const next = {
    ...memory,
    seq: Math.max(seq, memory.seq),
    sent,
    users: memory.users.map((user) => (user.proof === null ? user : { ...user, isWorn: true })),
  };
  const worn = users.filter(({ isWorn }) => isWorn);
  const ids = users.map(({ id }) => id);
  const step = { kind: 'packet', seq, text, body, named: ids, worn: worn.map(({ id }) => id) };
  return [next, step as Step];
}

/** What needs an installation that the server knows. */
function planRest(memory: Memory, until: number | null): MemoryChange<Step> {
  if (!memory.isEnrolled) return [memory, idle(until)];
  const topic = memory.topics.find((one) => isTopicDue(memory, one));
  if (topic !== undefined) {
    if (topic.seq !== null) return [memory, { kind: 'topic', topic }];
    const seq = memory.seq + 1;
    const numbered = { ...topic, seq };
    const topics = memory.topics.map((one) => (one === topic ? numbered : one));
    return [
      { ...memory, seq, topics },
      { kind: 'topic', topic: numbered },
    ];
  }
  const receipts = memory.receipts.slice(0, RECEIPTS_AT_ONCE);
  return [memory, receipts.length === 0 ? idle(until) : { kind: 'receipts', receipts }];
}

/** A user's own can only be asked for where the server has the user. */
function isTopicDue({ users }: Memory, { isAcknowledged, userId }: WantedTopic): boolean {
  const isPossible = userId === null || users.some(({ id, isLinked }) => isLinked && id === userId);
  return !isAcknowledged && isPossible;
}

function idle(until: number | null): Step {
  return { kind: 'idle', until };
}
