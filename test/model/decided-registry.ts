import assert from 'node:assert/strict';
import { addressKey } from '../../packages/server/src/domain/address-key.ts';
import type { ChangeSet } from '../../packages/server/src/domain/change-set.ts';
import { toDormancyPolicy } from '../../packages/server/src/domain/dormancy.ts';
import { groupOutcomes } from '../../packages/server/src/domain/group-outcome.ts';
import {
  DEFAULT_PREFERENCES,
  type Installation,
  NO_DEVICE,
} from '../../packages/server/src/domain/installation.ts';
import { registrationChanges } from '../../packages/server/src/domain/registration-changes.ts';
import type { decideSync } from '../../packages/server/src/domain/registration.ts';
import { NO_USER_HASH, signOutChanges } from '../../packages/server/src/domain/sign-out.ts';
import { contentHash } from '../../packages/server/src/http/canonical-json.ts';
import { ADMIT_ALL, type RegistryContext } from '../../packages/server/src/registry/caller.ts';
import { judgeLogout } from '../../packages/server/src/registry/judge-logout.ts';
import { judgeSync, type SyncVerdict } from '../../packages/server/src/registry/judge-sync.ts';
import type { UserClaim } from '../../packages/server/src/registry/prove-user.ts';
import { NOTHING_HELD, type SyncFacts } from '../../packages/server/src/registry/sync-facts.ts';
import type { SyncInput } from '../../packages/server/src/registry/sync-request.ts';
import type { CaseStep } from './cases.ts';
import type { Observed } from './observed.ts';
import type { AccountMode, Claim, Logout, Nonce, Packet } from './operation.ts';
import type { Sight } from './sight.ts';

/**
 * The product's own decisions on rows in memory: everything that it decides between a parsed
 * request and the statements that write the answer, without the network and the database around it.
 */
export interface DecidedRegistry {
  readonly accountMode: AccountMode;
  readonly installations: ReadonlyMap<string, Installation>;
  /** Up to when a user's assertions are refused. */
  readonly users: SyncFacts['users'];
  readonly usedProofs: SyncFacts['usedProofs'];
  /** How often a token went from one installation to another, by the key of its address. */
  readonly moves: ReadonlyMap<string, number>;
  /** The real nonces for those of the model. */
  readonly nonces: ReadonlyMap<string, string>;
}

export const NOTHING_DECIDED: DecidedRegistry = {
  accountMode: 'exclusive',
  installations: new Map(),
  users: new Map(),
  usedProofs: new Map(),
  moves: new Map(),
  nonces: new Map(),
};

export interface DecidedStep {
  readonly decided: DecidedRegistry;
  readonly observed: Observed;
}

/** Second 0 of every history. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
const KEYS = { nonce: [Buffer.alloc(32, 1)], erasure: [Buffer.alloc(32, 2)] } as const;
const APP: RegistryContext['app'] = {
  ref: 1,
  id: '00000000-0000-4000-8000-000000000000',
  name: 'Acme Shop',
  environment: 'test',
  identity: 'required',
  accountMode: 'exclusive',
  allowedOrigins: [],
  defaultTtlSeconds: 60,
  userBoundTtlCeilingSeconds: 60,
  takeover: 'nonce',
  staticSignatures: false,
  jwksUrl: null,
  dormancy: toDormancyPolicy({}),
};

/** What the product makes of an operation that arrives in second 0, by a decision of its own. */
export function decide(
  decided: DecidedRegistry,
  operation: CaseStep,
  decision: typeof decideSync,
): DecidedStep {
  switch (operation.kind) {
    case 'sync':
      return decidePacket(decided, operation, decision);
    case 'logout':
      return decideLogout(decided, operation);
    case 'revoke':
      assert(operation.named === null, 'cases of small scope revoke everywhere');
      return decideRevocation(decided, operation.user, true);
    case 'erase':
      return decideRevocation(decided, operation.user, false);
  }
}

/** Remembers which real nonce stands for one of the model. */
export function learned(decided: DecidedRegistry, nonce: Nonce, real: string): DecidedRegistry {
  return { ...decided, nonces: new Map(decided.nonces).set(JSON.stringify(nonce), real) };
}

export function decidedSights({ installations }: DecidedRegistry): ReadonlyMap<string, Sight> {
  return new Map(
    [...installations].map(([name, { links, token, marks }]) => [
      name,
      {
        users: links.map(({ userId }) => userId).toSorted(),
        token: token?.address.token ?? null,
        status: token?.status ?? null,
        seq: { token: marks.token.seq, user: marks.user.seq },
      },
    ]),
  );
}

function decidePacket(
  decided: DecidedRegistry,
  packet: Packet,
  decision: typeof decideSync,
): DecidedStep {
  const { installation: name } = packet;
  const known = decided.installations.get(name);
  const context = contextOf(packet.secret);
  const held = known ?? newInstallation(decided, name, packet.secret);
  const installations = new Map(decided.installations).set(name, held);
  const verdict = judgeSync(
    { kind: 'sync', context, input: toInput(decided, packet) },
    factsOf(decided, installations, known === undefined ? held : null),
    { keys: KEYS, decide: decision },
  );
  const observed = toObserved(verdict);
  if (verdict.kind !== 'decided' || !verdict.isWritten) return { decided, observed };
  const users = new Map(decided.users);
  for (const { user } of packet.users ?? []) {
    if (!users.has(user)) users.set(user, newUser(users));
  }
  const refs = new Map([...users].map(([id, { ref }]) => [id, ref]));
  const changes = registrationChanges(verdict.packet, refs);
  return { decided: written({ ...decided, installations, users }, changes), observed };
}

function decideLogout(decided: DecidedRegistry, operation: Logout): DecidedStep {
  const { installation: installationId, seq, secret, user: userId } = operation;
  const logout = { installationId, seq, userId, holding: null };
  const context = contextOf(secret);
  const verdict = judgeLogout({ kind: 'logout', context, logout }, decided);
  if (verdict.kind === 'refused') {
    return { decided, observed: { reply: { kind: 'invalid_credentials' }, nonce: null } };
  }
  const { changes } = verdict;
  const observed: Observed = { reply: { kind: 'logged_out', seq: verdict.seq }, nonce: null };
  return { decided: changes === null ? decided : written(decided, changes), observed };
}

function decideRevocation(decided: DecidedRegistry, user: string, counts: boolean): DecidedStep {
  const at = new Date(EPOCH_MS);
  const theirs = [...decided.installations.values()].filter(({ links }) =>
    links.some(({ userId }) => userId === user),
  );
  const changes = theirs.map((one) => {
    const ended = one.links.filter(({ userId }) => userId === user);
    return signOutChanges(one, ended, { endedBy: 'revoked', mark: null, at });
  });
  const facts = { ...(decided.users.get(user) ?? newUser(decided.users)), notBefore: at };
  const users = new Map(decided.users).set(user, facts);
  const reply = counts
    ? ({ kind: 'signed_out', count: theirs.length } as const)
    : ({ kind: 'done' } as const);
  return {
    decided: changes.reduce(written, { ...decided, users }),
    observed: { reply, nonce: null },
  };
}

/** Saves what a change set says, in the order in which the store does. */
function written(decided: DecidedRegistry, changes: ChangeSet): DecidedRegistry {
  const installations = new Map(decided.installations);
  for (const one of [...changes.released, ...changes.saved]) installations.set(one.id, one);
  const proofs = changes.usedProofs.map((proof) => [proof.jti, proof.installationRef] as const);
  const usedProofs = new Map([...decided.usedProofs, ...proofs]);
  const moves = new Map(decided.moves);
  for (const { key } of changes.moves) {
    const name = key.toString('hex');
    moves.set(name, (moves.get(name) ?? 0) + 1);
  }
  return { ...decided, installations, usedProofs, moves };
}

function contextOf(secret: string): RegistryContext {
  const caller = { kind: 'client', secretHash: secretHash(secret), admit: ADMIT_ALL } as const;
  return { app: APP, caller, requestId: null, now: new Date(EPOCH_MS) };
}

function factsOf(
  decided: DecidedRegistry,
  installations: ReadonlyMap<string, Installation>,
  enrolled: Installation | null,
): SyncFacts {
  const holders = [...installations.values()].flatMap((one) =>
    one.token === null || one.token.status === 'retired'
      ? []
      : [[one.token.key.toString('hex'), one] as const],
  );
  return {
    accountMode: decided.accountMode,
    installations,
    enrolled: new Map(enrolled === null ? [] : [[enrolled.id, enrolled.ref]]),
    holders: new Map(holders),
    byDevice: new Map(),
    disputes: new Map(
      [...decided.moves].map(([key, recentMoves]) => [key, { recentMoves, openChallenges: [] }]),
    ),
    users: decided.users,
    erasures: new Map(),
    usedProofs: decided.usedProofs,
    linkedPairs: new Set(),
    topics: new Map(),
    heldElsewhere: NOTHING_HELD,
    lastEnds: new Map(),
  };
}

function toInput({ nonces, accountMode }: DecidedRegistry, packet: Packet): SyncInput {
  const { installation, seq, token, users, takeover } = packet;
  return {
    installationId: installation,
    seq,
    takeover: (takeover && nonces.get(JSON.stringify(takeover))) ?? null,
    ...(token !== undefined && { token: tokenPart(token) }),
    ...(users !== undefined && { user: userPart(users, accountMode) }),
  };
}

function tokenPart(token: string | null): NonNullable<SyncInput['token']> {
  const hash = contentHash(token);
  if (token === null) return { claim: null, hash };
  const address = { provider: 'fcm', kind: 'token', project: 'acme-shop', token } as const;
  return { claim: { address, key: addressKey(address) }, hash };
}

function userPart(users: readonly Claim[], form: AccountMode): NonNullable<SyncInput['user']> {
  const ids = users.map(({ user }) => user);
  const hash = ids.length === 0 ? NO_USER_HASH : contentHash(ids.toSorted());
  return { claims: users.map(toUserClaim), form, hash };
}

function toUserClaim({ user: id, proof }: Claim): UserClaim {
  if (proof === null) return { id, proof: { kind: 'refused', why: 'no assertion' } };
  const issuedAt = new Date(EPOCH_MS + proof.issuedAt * 1000);
  return { id, proof: { kind: 'proven', issuedAt, proofId: proof.id } };
}

function toObserved(verdict: SyncVerdict): Observed {
  switch (verdict.kind) {
    case 'refused':
      assert.equal(verdict.refusal, 'wrong_secret');
      return { reply: { kind: 'invalid_credentials' }, nonce: null };
    case 'forked':
      return { reply: { kind: 'installation_forked' }, nonce: null };
    case 'token_held':
      return { reply: { kind: 'token_held' }, nonce: verdict.nonce.nonce };
    case 'token_challenged':
      return assert.fail('the app moves tokens by nonce');
    case 'decided': {
      const { links } = verdict.packet.decided;
      const outcomes = Object.entries(groupOutcomes(verdict.packet));
      const applied = Object.fromEntries(
        outcomes.map(([group, outcome]) => [group, outcome === 'applied']),
      );
      const { created } = verdict;
      const refused = links.refused.map(({ userId }) => userId);
      return refused.length > 0
        ? { reply: { kind: 'assertion_invalid', applied, refused }, nonce: null }
        : { reply: { kind: 'synced', created, applied }, nonce: null };
    }
  }
}

function secretHash(secret: string): Buffer {
  return Buffer.alloc(32, secret);
}

function newUser(users: DecidedRegistry['users']) {
  return { ref: users.size + 1, notBefore: null };
}

function newInstallation(
  { installations }: DecidedRegistry,
  id: string,
  secret: string,
): Installation {
  const at = new Date(EPOCH_MS);
  const unset = { seq: null, hash: null };
  return {
    ref: installations.size + 1,
    appRef: APP.ref,
    id,
    secretHash: secretHash(secret),
    token: null,
    links: [],
    holderVersion: 0,
    serverWriteAt: null,
    marks: { token: unset, user: unset, device: unset, preferences: unset },
    namedSeq: null,
    topicsSeq: null,
    tokenError: null,
    permission: null,
    device: NO_DEVICE,
    clientTime: null,
    tags: {},
    deviceTags: {},
    preferences: DEFAULT_PREFERENCES,
    dormantSince: null,
    removedAt: null,
    createdAt: at,
    updatedAt: at,
    lastSeenAt: at,
    lastFailure: null,
    failuresInARow: 0,
  };
}
