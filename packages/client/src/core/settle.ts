import { type ReadAnswer, textsIn, toBody, usersIn } from './answer.ts';
import type { Identity } from './identity.ts';
import { withLogout, withoutUsers } from './intent.ts';
import type { Live } from './live.ts';
import { freshMemory, newcomer, type Memory, type WantedUser } from './memory.ts';
import { askedMs } from './pace.ts';
import type { ClientError, PushEvents } from './push-client.ts';
import type { Sending } from './step.ts';

/** What an answer comes to. */
export interface Settled {
  readonly memory: Memory;
  readonly live: Partial<Live>;
  readonly signedOut: readonly PushEvents['signed_out'][];
  readonly error: Pick<ClientError, 'code' | 'detail'> | null;
  /**
   * - `on`: whatever is next, at once.
   * - `again`: the same thing told differently; the more often in a row, the later.
   * - `later`: nothing came of it; at least so many milliseconds later.
   */
  readonly pace: { readonly kind: 'on' | 'again' } | Later;
}

interface Later {
  readonly kind: 'later';
  readonly atLeastMs: number;
}

/** What there is beside memory and answer. */
export interface Surroundings {
  readonly vouched: Live['vouched'];
  /** For the case that this installation has to enrol anew. */
  readonly spare: Identity;
  readonly now: number;
}

const ENROL_ANEW_MS = 3_600_000;
/** As long as a nonce lives, and as often as a strict app asks a phone for its echo. */
const CHALLENGE_MS = 60_000;

/** The memory after an answer to a request; null for none, whatever became of the request. */
export function settle(
  memory: Memory,
  step: Sending,
  answer: ReadAnswer | null,
  around: Surroundings,
): Settled {
  if (answer === null) return later(memory, { code: 'no_answer', detail: '' });
  const { status, code, detail, body } = answer;
  if (status === 429 || status === 503) {
    return later(memory, { code, detail }, askedMs(answer.retryAfter));
  }
  const isStranger = code === 'invalid_credentials' && body['credential'] === 'installation_secret';
  const isGone = isStranger || code === 'installation_removed' || status === 410;
  if (step.kind === 'logout') {
    if (status !== 204 && status !== 404 && !isGone) return later(memory, { code, detail });
    return on(withoutLogout(counted(memory, answer), step.logout));
  }
  if (isGone || code === 'installation_forked') return enrolAnew(memory, answer, around);
  switch (step.kind) {
    case 'packet':
      return settlePacket(memory, step, answer, around);
    case 'topic':
      return settleTopic(memory, step, answer);
    case 'receipts':
      return settleReceipts(memory, step, answer);
  }
}

function on(memory: Memory, more: Partial<Settled> = {}): Settled {
  return { memory, live: {}, signedOut: [], error: null, pace: { kind: 'on' }, ...more };
}

function again(memory: Memory, more: Partial<Settled> = {}): Settled {
  return on(memory, { pace: { kind: 'again' }, ...more });
}

function later(memory: Memory, error: Settled['error'], atLeastMs = 0): Settled {
  return on(memory, { error, pace: { kind: 'later', atLeastMs } });
}

/** The client counts on from what the server knows. */
function counted(memory: Memory, { seq }: ReadAnswer): Memory {
  return seq > memory.seq ? { ...memory, seq } : memory;
}

function withoutLogout(memory: Memory, { userId, seq }: Memory['logouts'][number]): Memory {
  const isOther = (one: Memory['logouts'][number]): boolean =>
    one.userId !== userId || one.seq !== seq;
  return { ...memory, logouts: memory.logouts.filter(isOther) };
}

/** A request that cannot be taken as it is would be refused for ever. */
function isImpossible({ status }: ReadAnswer): boolean {
  return [400, 405, 413, 415, 422].includes(status);
}

/**
 * The server does not know this id any more, or another copy of it is alive. What the app wants
 * stays; users have to be vouched for again, because their proofs named the former id.
 */
function enrolAnew(
  memory: Memory,
  { code, detail }: Pick<ReadAnswer, 'code' | 'detail'>,
  around: Surroundings,
): Settled {
  const { vouched, spare, now } = around;
  const ago = now - (memory.enrolledAnewAt ?? 0);
  const isSoon = memory.enrolledAnewAt !== null && ago >= 0 && ago < ENROL_ANEW_MS;
  if (isSoon) return later(memory, { code, detail });
  const lost = memory.users.filter(({ id }) => !vouched.has(id));
  const kept = withoutUsers(memory, lost);
  const fresh = {
    ...freshMemory(spare),
    enrolledAnewAt: now,
    isUnsubscribed: kept.isUnsubscribed,
    tags: kept.tags,
    deviceTags: kept.deviceTags,
    users: kept.users.map(({ id }) => newcomer(id)),
    isScreenStale: kept.isScreenStale,
    topics: kept.topics
      .filter(({ isWanted }) => isWanted)
      .map((topic) => ({ ...topic, seq: null, isAcknowledged: false })),
  };
  const live = { acknowledged: null, refused: null, takeover: null, proveAt: 0 };
  return again(fresh, { live, signedOut: toSignedOut(lost, code), error: { code, detail } });
}

function settlePacket(
  memory: Memory,
  step: Extract<Sending, { kind: 'packet' }>,
  answer: ReadAnswer,
  around: Surroundings,
): Settled {
  const { status, code, detail, body } = answer;
  const error = { code, detail };
  if ((status === 200 || status === 201) && usersIn(body['installation']) !== null) {
    return settleTaken(memory, step, answer, around);
  }
  if (code === 'assertion_invalid') return settleRefusedProof(memory, step, answer, around);
  if (code === 'token_held') {
    const { nonce, challenge } = body;
    if (typeof nonce === 'string') return again(memory, { live: { takeover: nonce } });
    if (challenge !== undefined) return later(memory, error, CHALLENGE_MS);
  }
  const live = { takeover: null };
  if (isImpossible(answer)) return on(memory, { live: { ...live, refused: step.text }, error });
  return later(memory, error);
}

/**
 * The server holds what the packet says, or something newer that it tells of. What this memory did
 * not say itself comes from another copy of it, or from before it was set back, which happens once:
 * the second time there are two copies, which the server cannot tell where one has no token.
 */
function settleTaken(
  memory: Memory,
  step: Extract<Sending, { kind: 'packet' }>,
  answer: ReadAnswer,
  around: Surroundings,
): Settled {
  const reasons = toBody(answer.body['reason']);
  const isLate = Object.keys(reasons).length > 0;
  const isOvertaken = isLate && answer.seq > memory.seq;
  if (isOvertaken && memory.wasOvertaken) {
    const detail = 'another copy of this installation is alive';
    return enrolAnew(memory, { code: 'installation_forked', detail }, around);
  }
  const wasOvertaken = isOvertaken || memory.wasOvertaken;
  const known = { ...counted(memory, answer), isEnrolled: true, wasOvertaken };
  const isNewest = memory.sent?.seq === step.seq;
  const sent = isNewest && memory.sent ? { ...memory.sent, isAcknowledged: true } : memory.sent;
  const heard = { ...known, sent: isLate ? null : sent };
  const { memory: next, lost } = reconcile(heard, step, answer, reasons['user'] === undefined);
  const signedOut = toSignedOut(lost, 'revoked');
  const acknowledged = isLate ? null : step.text;
  const live = { takeover: null, refused: null, acknowledged, acknowledgedAt: around.now };
  return isLate ? again(next, { live, signedOut }) : on(next, { live, signedOut });
}

/**
 * Holds who is signed in at the server against who should be. A logout that waits says more than
 * the answer, which is about the time before it.
 */
function reconcile(
  memory: Memory,
  { named }: Extract<Sending, { kind: 'packet' }>,
  { body }: ReadAnswer,
  isNews: boolean,
): { readonly memory: Memory; readonly lost: readonly WantedUser[] } {
  const there = usersIn(body['installation']) ?? [];
  if (memory.logouts.length > 0) return { memory, lost: [] };
  const isLost = ({ id, isLinked }: WantedUser): boolean =>
    !there.includes(id) && (isLinked || (isNews && named.includes(id)));
  const lost = memory.users.filter(isLost);
  const kept = withLinked(withoutUsers(memory, lost), there);
  const strangers = there.filter(
    (id) => !named.includes(id) && kept.users.every((user) => user.id !== id),
  );
  const next = isNews ? strangers.reduce(withLogout, kept) : kept;
  return { memory: next, lost };
}

function withLinked(memory: Memory, ids: readonly string[]): Memory {
  const users = memory.users.map((user) =>
    ids.includes(user.id) ? { ...user, isLinked: true, proof: null, isWorn: false } : user,
  );
  return { ...memory, users };
}

/**
 * A proof that went out before may have been used up by a request whose answer was lost, or have
 * grown too old: another one is asked for. Anybody else whom the server refuses is not signed in
 * here, as after a revocation. The rest of the packet was stored. Where the server found the proof
 * to be of the past, as that of a forgotten tab, whoever was there before still is.
 */
function settleRefusedProof(
  memory: Memory,
  { named, worn }: Extract<Sending, { kind: 'packet' }>,
  answer: ReadAnswer,
  { vouched }: Surroundings,
): Settled {
  const { body, code, detail } = answer;
  const refused = body['refused_users'] === undefined ? named : textsIn(body['refused_users']);
  const known = { ...counted(memory, answer), isEnrolled: true, sent: null };
  const there = usersIn(body['installation']) ?? named.filter((id) => !refused.includes(id));
  const heard = memory.logouts.length > 0 ? known : withLinked(known, there);
  // Who signed in again meanwhile was not meant.
  const meant = heard.users.filter(
    ({ id, isLinked, proof }) => refused.includes(id) && (isLinked || proof !== null),
  );
  const lost = meant.filter(({ id }) => !worn.includes(id) || !vouched.has(id));
  const kept = withoutUsers(heard, lost);
  const before = kept.users.length === 0 ? lost.map(({ instead }) => instead) : [];
  const back = there.filter((id) => before.includes(id));
  const users = [
    ...kept.users.map((user) => (meant.includes(user) ? newcomer(user.id, user.instead) : user)),
    ...back.map((id) => ({ ...newcomer(id), isLinked: true })),
  ];
  const signedOut = lost.map(({ id, isLinked }) => ({
    userId: id,
    why: isLinked ? 'revoked' : code,
  }));
  const live = { takeover: null };
  return again({ ...kept, users }, { live, signedOut, error: { code, detail } });
}

function toSignedOut(
  users: readonly WantedUser[],
  why: string,
): readonly PushEvents['signed_out'][] {
  return users.map(({ id }) => ({ userId: id, why }));
}

function settleTopic(
  memory: Memory,
  { topic }: Extract<Sending, { kind: 'topic' }>,
  answer: ReadAnswer,
): Settled {
  const { code, detail, body } = answer;
  const held = memory.topics.find(({ name, seq }) => name === topic.name && seq === topic.seq);
  const replaced = (next: Memory['topics'][number] | null): Memory => ({
    ...counted(memory, answer),
    topics: memory.topics.flatMap((one) => (one === held ? (next ?? []) : one)),
  });
  if (isImpossible(answer)) return on(replaced(null), { error: { code, detail } });
  if (answer.status !== 200) return later(memory, { code, detail });
  if (body['applied'] !== true) return again(replaced({ ...topic, seq: null }));
  return on(replaced(topic.isWanted ? { ...topic, isAcknowledged: true } : null));
}

function settleReceipts(
  memory: Memory,
  { receipts }: Extract<Sending, { kind: 'receipts' }>,
  answer: ReadAnswer,
): Settled {
  const { status, code, detail } = answer;
  const isTaken = status === 200 && typeof answer.body['stored'] === 'number';
  if (!isTaken && !isImpossible(answer)) return later(memory, { code, detail });
  const keyOf = ({ notification_id: id, kind }: (typeof receipts)[number]): string =>
    `${kind} ${id}`;
  const gone = new Set(receipts.map(keyOf));
  const left = memory.receipts.filter((one) => !gone.has(keyOf(one)));
  return on({ ...memory, receipts: left }, { error: isTaken ? null : { code, detail } });
}
