import type {
  AccountMode,
  Assignment,
  Claim,
  DeadSince,
  Logout,
  Nonce,
  Operation,
  Packet,
} from './operation.ts';

/**
 * THE REFERENCE MODEL of the registry: what an app's registry is, and what each operation makes of
 * it. Small, and independent of the product, with which it shares no line; where the two differ,
 * one of them is wrong. The rules R1 to R13 are named where they are spelled out.
 */
export interface Registry {
  /** R13: a set of users per installation; an exclusive app is one whose sets have one at most. */
  readonly accountMode: AccountMode;
  readonly installations: Map<string, Installation>;
  /** Up to which second a user's assertions are refused: revoked everywhere, or erased. */
  readonly notBefore: Map<string, number>;
  /** Assertions that signed somebody in, and where. */
  readonly spent: Map<string, string>;
  /** How often a token went from one installation to another; no history lasts a day. */
  readonly moves: Map<string, number>;
}

export interface Installation {
  /** Whose secret opens it; null for one that a back end made and no client has claimed yet. */
  secret: string | null;
  isRemoved: boolean;
  token: Token | null;
  users: readonly User[];
  /** Per field group the last packet that was applied to it. */
  marks: { token: Mark | null; user: Mark | null };
  /** Counts the changes of token and user, so that a nonce is good for one state only. */
  version: number;
  /** Up to which second assertions are refused here, because a back end spoke. */
  closedUntil: number;
}

interface User {
  readonly id: string;
  readonly boundAt: number;
}

interface Token {
  value: string;
  status: TokenStatus;
  changedAt: number;
  /** What it took the place of, and whether it had been there before that one. */
  former: string | null;
  isReturned: boolean;
}

/**
 * Nothing is sent to a token that is not live, except to a contested one what is bound to nobody; a
 * quarantined one still has its holder.
 */
type TokenStatus = 'live' | 'contested' | 'quarantined' | 'retired';

export interface Mark {
  readonly seq: number;
  readonly content: string | null;
}

export type Order = 'newer' | 'replay' | 'superseded' | 'forked';

/** What the caller is told. `applied` has a member for each field group that the packet named. */
export type Reply =
  | { readonly kind: 'synced'; readonly created: boolean; readonly applied: Applied }
  | {
      readonly kind: 'assertion_invalid';
      readonly applied: Applied;
      readonly refused: readonly string[];
    }
  | { readonly kind: 'token_held'; readonly nonce: Nonce }
  | { readonly kind: 'logged_out'; readonly seq: number | null }
  | { readonly kind: 'signed_out'; readonly count: number }
  | { readonly kind: 'invalid_credentials' | 'installation_forked' | 'installation_removed' }
  | { readonly kind: 'done' };
type Applied = Readonly<Partial<Record<'token' | 'user', boolean>>>;

const NONCE_SECONDS = 60;
/** S33: a token that moves more often is disputed. */
const UNDISPUTED_MOVES = 3;
const NEVER = Number.NEGATIVE_INFINITY;

export function emptyRegistry(accountMode: AccountMode): Registry {
  const [installations, notBefore, spent, moves] = [new Map(), new Map(), new Map(), new Map()];
  return { accountMode, installations, notBefore, spent, moves };
}

/** R1: the one installation that holds a token. */
export function hold(registry: Registry, token: string): string | null {
  const holds = ([, { token: held }]: readonly [string, Installation]): boolean =>
    held?.value === token && held.status !== 'retired';
  return [...registry.installations].find(holds)?.[0] ?? null;
}

/** The users whose messages may go to a token: nobody's while it is disputed. */
export function own(registry: Registry, token: string): readonly string[] {
  const holder = registry.installations.get(hold(registry, token) ?? '');
  return holder?.token?.status === 'live' ? holder.users.map(({ id }) => id) : [];
}

/** What an operation that arrives in second `now` changes, and how it is answered. Pure. */
export function apply(
  before: Registry,
  operation: Operation,
  now: number,
): { readonly registry: Registry; readonly reply: Reply } {
  const registry = structuredClone(before);
  return { registry, reply: perform(registry, operation, now) };
}

function perform(registry: Registry, operation: Operation, now: number): Reply {
  switch (operation.kind) {
    case 'sync':
      return sync(registry, operation, now);
    case 'logout':
      return logout(registry, operation, now);
    case 'assign':
      return assign(registry, operation, now);
    case 'remove':
      return remove(registry, operation.installation, operation.secret, now);
    case 'revoke':
      return revoke(registry, operation.user, operation.named, now);
    case 'erase':
      revoke(registry, operation.user, null, now);
      return { kind: 'done' };
    case 'dead':
      return dead(registry, operation.token, operation.since);
  }
}

function sync(registry: Registry, packet: Packet, now: number): Reply {
  const { installation: id, secret, seq, token, users } = packet;
  const known = registry.installations.get(id);
  const one = known ?? blank(secret);
  const proven = (users ?? []).filter((claim) => proves(registry, one, claim));
  // What a back end made belongs to the first client that proves a user on it.
  if (one.secret === null && proven.length > 0 && !one.isRemoved) one.secret = secret;
  const refusal = refuseAccess(one, secret);
  if (refusal !== null) return refusal;

  const tokenOrder = token === undefined ? null : orderOf(one.marks.token, seq, token);
  const named = users?.map(({ user }) => user);
  const userOrder = named === undefined ? null : orderOf(one.marks.user, seq, setOf(named));
  // S29: two tokens that take turns are those of two copies.
  const isTurn = one.token?.isReturned === true && one.token.former === token;
  if (tokenOrder === 'forked' || userOrder === 'forked' || (isTurn && tokenOrder === 'newer')) {
    return { kind: 'installation_forked' };
  }

  // A repetition confirms what is held, and brings back what the provider called dead.
  const isPutAside = one.token?.status === 'quarantined' || one.token?.status === 'retired';
  const acts = tokenOrder === 'newer' || (tokenOrder === 'replay' && isPutAside);
  const holderId = acts && token ? hold(registry, token) : null;
  const holder = holderId === null ? undefined : registry.installations.get(holderId);
  if (token && holderId !== null && holder !== undefined && holder !== one) {
    const proofs = userOrder === 'superseded' ? [] : proven.map(({ proof }) => proof?.issuedAt);
    const proof = Math.max(...proofs.map((issuedAt) => issuedAt ?? NEVER));
    const due = { installation: id, token, holder: holderId, holderVersion: holder.version };
    if (!isEcho(packet.takeover, due, now) && proof <= boundAt(holder)) {
      return { kind: 'token_held', nonce: { ...due, issuedAt: now } };
    }
  }
  const status = take(registry, token ?? null, holder, one, now);

  registry.installations.set(id, one);
  if (tokenOrder === 'newer') one.marks.token = { seq, content: token ?? null };
  if (userOrder === 'newer') one.marks.user = { seq, content: setOf(named ?? []) };
  if (acts) setToken(one, token ?? null, now, status);
  const refused = signIn(registry, id, users, userOrder, proven);
  const isLost = token !== null && one.token?.value !== token;
  const applied = {
    ...(tokenOrder !== null && { token: tokenOrder !== 'superseded' && !isLost }),
    ...(userOrder !== null && { user: userOrder !== 'superseded' }),
  };
  if (refused.length > 0) return { kind: 'assertion_invalid', applied, refused };
  return { kind: 'synced', created: known === undefined, applied };
}

/** R2: program order, not arrival order. */
function orderOf(mark: Mark | null, seq: number, content: string | null): Order {
  if (mark === null || seq > mark.seq) return 'newer';
  if (seq < mark.seq) return 'superseded';
  return content === mark.content ? 'replay' : 'forked';
}

/** R4: a good proof is fresh and was never used. Whoever is signed in already needs none. */
function proves(registry: Registry, one: Installation, { user, proof }: Claim): boolean {
  if (proof === null) return false;
  const notBefore = Math.max(one.closedUntil, registry.notBefore.get(user) ?? NEVER);
  return proof.issuedAt > notBefore && !registry.spent.has(proof.id);
}

/** R3: a nonce is good for one claimant, token and state of the holder, for a minute. */
function isEcho(nonce: Nonce | undefined, due: Omit<Nonce, 'issuedAt'>, now: number): boolean {
  if (nonce === undefined || now - nonce.issuedAt > NONCE_SECONDS) return false;
  const isForUs = nonce.installation === due.installation && nonce.token === due.token;
  return isForUs && nonce.holder === due.holder && nonce.holderVersion === due.holderVersion;
}

/** R3: what an assertion has to be newer than, to take the token over. */
function boundAt({ token, users }: Installation): number {
  return Math.max(token?.changedAt ?? NEVER, ...users.map((user) => user.boundAt));
}

/**
 * Applies the user group, and tells whose proofs were refused. R13: that keeps out them alone, and
 * who is signed in already needs none.
 */
function signIn(
  registry: Registry,
  id: string,
  claims: readonly Claim[] | undefined,
  order: Order | null,
  proven: readonly Claim[],
): readonly string[] {
  const one = registry.installations.get(id) ?? blank(null);
  if (claims === undefined || order === 'superseded') return [];
  const newcomers = claims.filter(({ user }) => !isThere(one, user));
  const begun = newcomers.filter((claim) => proven.includes(claim));
  const refused = newcomers.filter((claim) => !proven.includes(claim));
  const isExclusive = registry.accountMode === 'exclusive';
  // R4: what was used here before is of the past, and does not say that somebody else is there.
  const isPast = refused.some(({ proof }) => proof && registry.spent.get(proof.id) === id);
  // R6: somebody else is at the device, so whoever was signed in has to go. A repetition ends
  // nothing, for what happened since counts; but there is room for one only in an exclusive app.
  const endsOthers = isExclusive
    ? begun.length > 0 || (order === 'newer' && !isPast)
    : order === 'newer';
  const stay = one.users.filter(
    (there) => !endsOthers || claims.some(({ user }) => user === there.id),
  );
  const users = begun.map(({ user, proof }) => ({ id: user, boundAt: proof?.issuedAt ?? NEVER }));
  setUsers(one, [...stay, ...users]);
  // R4: an assertion of a new packet is used up, whether or not anybody needed it.
  for (const { proof } of order === 'newer' ? proven : begun) {
    if (proof !== null) registry.spent.set(proof.id, id);
  }
  return refused.map(({ user }) => user);
}

/** R5: a secret is all that it takes. R13: of one user, it removes exactly that one. */
function logout(
  registry: Registry,
  { installation, secret, seq, user }: Logout,
  now: number,
): Reply {
  const one = registry.installations.get(installation);
  const refusal = refuseAccess(one, secret);
  if (one === undefined || refusal !== null) return refusal ?? { kind: 'done' };
  const content = user === null ? setOf([]) : `without ${user}`;
  const order = seq === null ? null : orderOf(one.marks.user, seq, content);
  if (order !== 'superseded' && order !== 'replay') {
    signOut(one, user);
    // One without a sequence of its own is ordered by time.
    if (order === 'newer' && seq !== null) one.marks.user = { seq, content };
    else one.closedUntil = now;
  }
  return { kind: 'logged_out', seq: one.marks.user?.seq ?? null };
}

/** A back end's word: arrival order counts, and no sequence moves. */
function assign(registry: Registry, operation: Assignment, now: number): Reply {
  const { installation: id, token, users } = operation;
  const known = registry.installations.get(id);
  const one = known ?? blank(null);
  one.isRemoved = false;
  const holder = registry.installations.get((token && hold(registry, token)) ?? '');
  const status = take(registry, token ?? null, holder, one, now);
  registry.installations.set(id, one);
  if (token !== undefined) setToken(one, token, now, status);
  if (users !== undefined) {
    const stay = one.users.filter(({ id: user }) => users.includes(user));
    const newcomers = users.filter((user) => !isThere(one, user));
    setUsers(one, [...stay, ...newcomers.map((user) => ({ id: user, boundAt: now }))]);
    one.closedUntil = now;
  }
  const applied = {
    ...(token !== undefined && { token: true }),
    ...(users !== undefined && { user: true }),
  };
  return { kind: 'synced', created: known === undefined, applied };
}

/** R5: everybody is signed out, without a sequence, so that time orders it. */
function remove(registry: Registry, installation: string, secret: string, now: number): Reply {
  const one = registry.installations.get(installation);
  const refusal = refuseAccess(one, secret);
  if (one === undefined || refusal?.kind === 'invalid_credentials') return refusal ?? UNKNOWN;
  if (!one.isRemoved) one.closedUntil = now;
  Object.assign(one, { isRemoved: true, token: null, users: [], version: one.version + 1 });
  return { kind: 'done' };
}

/** R10: acts at once, and no assertion from up to this second signs in any more. */
function revoke(registry: Registry, user: string, named: readonly string[] | null, now: number) {
  let count = 0;
  for (const [id, one] of registry.installations) {
    const isTheirs = isThere(one, user);
    if (named === null ? !isTheirs : !named.includes(id) || one.isRemoved) continue;
    if (isTheirs) count += 1;
    signOut(one, user);
    one.closedUntil = now;
  }
  if (named === null) registry.notBefore.set(user, now);
  return { kind: 'signed_out', count } as const;
}

/**
 * R8: the provider's word from before the last registration ends nothing. When the device may have
 * checked in since the token is said to have died, without a trace, the token is only put aside.
 */
function dead(registry: Registry, token: string, since: DeadSince): Reply {
  const one = registry.installations.get(hold(registry, token) ?? '');
  if (one?.token?.status === 'live' && one.users.length > 0 && since !== 'long_ago') {
    one.token.status = since === 'untold' ? 'retired' : 'quarantined';
  }
  return { kind: 'done' };
}

const UNKNOWN: Reply = { kind: 'invalid_credentials' };

/** R12: an unknown installation and a wrong secret look the same. */
function refuseAccess(one: Installation | undefined, secret: string): Reply | null {
  if (one === undefined || one.secret !== secret) return UNKNOWN;
  return one.isRemoved ? { kind: 'installation_removed' } : null;
}

/** R1 and S33: whoever holds a token loses it to the next; one that moved too often is disputed. */
function take(
  registry: Registry,
  token: string | null,
  holder: Installation | undefined,
  one: Installation,
  now: number,
): TokenStatus {
  if (token === null) return 'live';
  const isMoved = holder !== undefined && holder !== one;
  if (isMoved) setToken(holder, null, now);
  const moves = (registry.moves.get(token) ?? 0) + (isMoved ? 1 : 0);
  registry.moves.set(token, moves);
  return moves > UNDISPUTED_MOVES ? 'contested' : 'live';
}

function setToken(
  one: Installation,
  value: string | null,
  changedAt: number,
  status: TokenStatus = 'live',
): void {
  const held = one.token;
  if (held?.value === value && held?.status === 'quarantined') held.status = status;
  if (value === null ? held === null : held?.value === value && held.status !== 'retired') return;
  one.version += 1;
  if (value === null) {
    one.token = null;
    return;
  }
  const isSame = held === null || held.value === value;
  const turn = isSame
    ? { former: held?.former ?? null, isReturned: held?.isReturned ?? false }
    : { former: held.value, isReturned: held.former === value };
  one.token = { value, status, changedAt, ...turn };
}

function setUsers(one: Installation, users: readonly User[]): void {
  const stays = users.length === one.users.length && users.every(({ id }) => isThere(one, id));
  if (!stays) one.version += 1;
  one.users = users;
}

/** Ends the sessions of one user, or of all. */
function signOut(one: Installation, user: string | null): void {
  setUsers(
    one,
    one.users.filter(({ id }) => user !== null && id !== user),
  );
}

function isThere({ users }: Installation, user: string): boolean {
  return users.some(({ id }) => id === user);
}

/** Sets of users are the same in any order. */
function setOf(users: readonly string[]): string {
  return users.toSorted().join();
}

function blank(secret: string | null): Installation {
  const marks = { token: null, user: null };
  const empty = { isRemoved: false, token: null, users: [], marks, version: 0 };
  return { ...empty, secret, closedUntil: NEVER };
}
