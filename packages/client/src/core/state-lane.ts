import { counted, isImpossible, textsIn, toBody, usersIn, type ReadAnswer } from './answer.ts';
import { enrolAnew } from './enrol-anew.ts';
import type { Settled, Step, Surroundings } from './lane.ts';
import type { Live } from './live.ts';
import { newcomer, withLogout, withUsers, type Memory, type WantedUser } from './memory.ts';
import { nameable, stateOf, usersPart, type State } from './state.ts';

/** A complete state as it goes out. */
interface Packet {
  readonly seq: number;
  /** The state that it says, as it is compared. */
  readonly text: string;
  readonly named: readonly string[];
  /** Those whose proofs went out before. */
  readonly worn: readonly string[];
}

/** The newest complete state, once somebody vouches for whoever is new in it. */
export function stateLane(memory: Memory, live: Live, now: number): Step | null {
  const state = stateOf(memory, live);
  if (state === null) return null;
  const unproven = memory.users.find(
    ({ id, isLinked, proof }) => !isLinked && proof === null && live.proofs.has(id),
  );
  if (unproven !== undefined && now >= live.proveAt) return { kind: 'prove', userId: unproven.id };
  const text = JSON.stringify(state);
  if (live.digest.text !== text) return { kind: 'digest', text };
  return isDue(memory, live, text) ? packetStep(memory, live, state) : null;
}

/**
 * The state that the server holds as this device wants it, with nothing else to tell it of users
 * and topics; null where there is something.
 */
export function registeredState(memory: Memory, live: Live): string | null {
  const state = stateOf(memory, live);
  const text = JSON.stringify(state);
  const isRegistered =
    state !== null &&
    text !== live.refused &&
    !isDue(memory, live, text) &&
    memory.logouts.length === 0 &&
    memory.users.every(({ isLinked }) => isLinked) &&
    memory.topics.every(({ isAcknowledged }) => isAcknowledged);
  return isRegistered ? text : null;
}

/**
 * Whether the server may not have heard the state. What another context brought there last counts
 * as heard where this one has nothing new to say: two that see the device differently would take
 * turns for ever. Somebody with a proof is new, also where the same user was there before another.
 */
function isDue({ sent, users }: Memory, live: Live, text: string): boolean {
  const { acknowledged, refused, takeover, digest } = live;
  if (text === refused) return false;
  if (acknowledged === null || takeover !== null || !sent?.isAcknowledged) return true;
  if (users.some(({ proof }) => proof !== null)) return true;
  return text !== acknowledged && (text !== digest.text || sent.digest !== digest.sha256);
}

/** What was said last is repeated under its sequence; anything else takes the next one. */
function packetStep(memory: Memory, live: Live, state: State): Step {
  const { takeover } = live;
  const { text, sha256: digest } = live.digest;
  const isRepeated = memory.sent?.digest === digest;
  const sent =
    isRepeated && memory.sent
      ? memory.sent
      : { seq: memory.seq + 1, digest, isAcknowledged: false };
  const { seq } = sent;
  const users = nameable(memory);
  const named = users.map(({ id }) => id);
  const worn = users.filter(({ isWorn }) => isWorn).map(({ id }) => id);
  const packet = { seq, text, named, worn };
  const proven = users.map(({ id, isLinked, proof }) => ({ id, ...(!isLinked && proof) }));
  return {
    kind: 'send',
    memory: {
      ...memory,
      seq: Math.max(seq, memory.seq),
      sent,
      users: memory.users.map((user) => ({ ...user, isWorn: user.proof !== null })),
    },
    method: 'PUT',
    path: '',
    body: JSON.stringify({
      seq,
      ...state,
      ...usersPart(live, proven),
      ...(takeover !== null && { takeover }),
    }),
    settle: (held, answer, around) => settlePacket(held, packet, answer, around),
  };
}

function settlePacket(
  memory: Memory,
  packet: Packet,
  answer: ReadAnswer,
  around: Surroundings,
): Settled | null {
  const { status, code, body } = answer;
  const isRefused = code === 'assertion_invalid';
  const there = usersIn(body['installation']);
  if (there !== null && (isRefused || [200, 201].includes(status))) {
    return settleHeard(memory, { ...packet, there, isRefused }, answer, around);
  }
  const { nonce } = body;
  if (code === 'token_held' && typeof nonce === 'string') {
    return { memory, live: { takeover: nonce }, isRepeat: true };
  }
  if (!isImpossible(answer)) return null;
  return { memory, live: { takeover: null, refused: packet.text }, error: answer };
}

/** A packet that the server has heard, and who is signed in there since. */
interface HeardPacket extends Packet {
  readonly there: readonly string[];
  /** A proof was not good enough; the rest of the packet was stored. */
  readonly isRefused: boolean;
}

/**
 * The server holds what the packet says, or something newer that it tells of. What this memory did
 * not say itself comes from another copy of it, or from before it was set back, which happens once:
 * the second time there are two copies, which the server cannot tell where one has no token.
 */
function settleHeard(
  memory: Memory,
  packet: HeardPacket,
  answer: ReadAnswer,
  around: Surroundings,
): Settled | null {
  const { text, isRefused } = packet;
  const reasons = toBody(answer.body['reason']);
  const isLate = Object.keys(reasons).length > 0;
  const isOvertaken = isLate && answer.seq > memory.seq;
  if (isOvertaken && memory.wasOvertaken) {
    return enrolAnew(memory, { code: 'installation_forked', detail: '' }, around);
  }
  const isRepeat = isLate || isRefused;
  const { sent } = memory;
  const known = {
    ...counted(memory, answer),
    isEnrolled: true,
    wasOvertaken: isOvertaken || memory.wasOvertaken,
    sent: isRepeat ? null : sent && { ...sent, isAcknowledged: true },
  };
  const isNews = !isRefused && reasons['user'] === undefined;
  const isSpokenFor = memory.logouts.length > 0;
  return {
    // A logout that waits says more than the answer, which is about the time before it.
    memory: isSpokenFor ? known : reconcile(known, packet, answer, around.live, isNews),
    live: {
      takeover: null,
      refused: null,
      acknowledged: isRepeat ? null : text,
      acknowledgedAt: around.now,
    },
    isRepeat,
    ...(isRefused && { error: answer }),
  };
}

/**
 * Holds who is signed in at the server against who should be.
 *
 * - A proof that went out before may have been used up by a request whose answer was lost, or have
 *   grown too old: another one is asked for. Anybody else whom the server refuses is not signed in
 *   here, as after a revocation.
 * - Where the server found the proof to be of the past, as that of a forgotten tab, whoever was
 *   there before still is.
 * - Whom nobody here has signed in is signed out.
 */
function reconcile(
  memory: Memory,
  { named, worn, there, isRefused }: HeardPacket,
  { body }: ReadAnswer,
  { proofs }: Live,
  isNews: boolean,
): Memory {
  const refused = isRefused ? textsIn(body['refused_users'] ?? named) : [];
  const kept = memory.users.flatMap((user) => {
    const { id, isLinked, proof, instead } = user;
    // Who signed in again meanwhile was not meant.
    if (refused.includes(id) && (isLinked || proof !== null)) {
      return worn.includes(id) && proofs.has(id) ? newcomer(id, instead) : [];
    }
    if (there.includes(id)) return asLinked(id);
    return isLinked || (isNews && named.includes(id)) ? [] : user;
  });
  const before = new Set(memory.users.map(({ instead }) => instead));
  const back = kept.length === 0 ? there.filter((id) => before.has(id)) : [];
  const users = [...kept, ...back.map(asLinked)];
  const known = new Set([...named, ...users.map(({ id }) => id)]);
  const strangers = isNews ? there.filter((id) => !known.has(id)) : [];
  return strangers.reduce(withLogout, withUsers(memory, users));
}

function asLinked(id: string): WantedUser {
  return { ...newcomer(id), isLinked: true };
}
