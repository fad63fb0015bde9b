import assert from 'node:assert';
import type { OpenChallenge } from '../domain/challenge.ts';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import type { MacKeys } from '../domain/mac-keys.ts';
import type { AccountMode } from '../domain/registration.ts';
import { deviceIdOf } from '../domain/reinstall.ts';
import { holdAccountMode, readAccountMode } from '../store/account-mode.ts';
import { countMoves } from '../store/address-moves.ts';
import { findOpenChallenges } from '../store/challenges.ts';
import {
  enrolInstallations,
  findInstallations,
  lockInvolved,
  type Enrolment,
  type InvolvedInstallations,
  type InvolvedNames,
} from '../store/installations.ts';
import { findLastEnds, findLinkedPairs } from '../store/links.ts';
import type { LockWait } from '../store/lock-wait.ts';
import { findLinkedProofs, findUsedProofs, type ExpiredProof } from '../store/proofs.ts';
import { flight, type Queryable, type Transaction } from '../store/sql.ts';
import { topicsOfIds, type TopicsByRef } from '../store/topics.ts';
import { findErasures, findLoginFacts, lockLogins, type LoginFacts } from '../store/users.ts';
import { deviceClaimOf } from './predecessors.ts';
import { idMac } from './prove-user.ts';
import { installationIdOf, type RegistryRequest } from './sync-request.ts';

/** What the registry holds about the installations and users of some packets. */
export interface SyncFacts {
  /** As it is now; what a request knows of its app may be some seconds old. */
  readonly accountMode: AccountMode;
  /** By id. */
  readonly installations: ReadonlyMap<string, Installation>;
  /** The references of those that were made for these packets just now, by id. */
  readonly enrolled: ReadonlyMap<string, number>;
  /** Who holds an address, by its key in hex; retired holders do not count. */
  readonly holders: ReadonlyMap<string, Installation>;
  /** Where somebody is signed in, by the vendor id of the device. */
  readonly byDevice: ReadonlyMap<string, readonly Installation[]>;
  /** By the keys in hex of addresses that moved lately, or are claimed from their holder. */
  readonly disputes: ReadonlyMap<string, Dispute>;
  /** By the customer's ids. */
  readonly users: ReadonlyMap<string, LoginFacts>;
  /** From when on assertions for an erased user are taken again, by the customer's ids. */
  readonly erasures: ReadonlyMap<string, Date>;
  /** Which installation used an assertion, by the assertion's own id. */
  readonly usedProofs: ReadonlyMap<string, number>;
  /** Where bearers of simple routes were ever signed in, as pairs `installation/user`. */
  readonly linkedPairs: ReadonlySet<string>;
  /** By reference. */
  readonly topics: TopicsByRef;
  readonly heldElsewhere: HeldElsewhere;
  /** When somebody was last signed out, by reference; read for packets that had to wait. */
  readonly lastEnds: ReadonlyMap<number, Date>;
}

/** What is not under lock because somebody else holds it: nothing may be decided about it now. */
export interface HeldElsewhere {
  readonly installationRefs: ReadonlySet<number>;
  /** Users who are being signed out or erased. */
  readonly userIds: ReadonlySet<string>;
}

export const NOTHING_HELD: HeldElsewhere = { installationRefs: new Set(), userIds: new Set() };

/** What tells whether an address is quarrelled over. */
export interface Dispute {
  /** Times that it went from one installation to another within `LIMITS.disputeCalmMs`. */
  readonly recentMoves: number;
  /** Soonest to expire first. */
  readonly openChallenges: readonly OpenChallenge[];
}

export const NO_DISPUTE: Dispute = { recentMoves: 0, openChallenges: [] };

/** The installations of some packets as they are at this moment, with who is signed in there. */
export async function readSnapshot(
  db: Queryable,
  appRef: number,
  requests: readonly RegistryRequest[],
): Promise<SyncFacts> {
  const { installationIds } = namesIn(requests);
  const [accountMode, own, topics] = await Promise.all([
    readAccountMode(db, appRef),
    findInstallations(db, appRef, installationIds),
    topicsOfIds(db, appRef, installationIds),
  ]);
  const users = own.flatMap(({ links }) =>
    links.map(({ userId, userRef }) => [userId, { ref: userRef, notBefore: null }] as const),
  );
  return {
    accountMode,
    installations: byId(own),
    enrolled: new Map(),
    holders: byAddress(own),
    byDevice: new Map(),
    disputes: new Map(),
    users: new Map(users),
    erasures: new Map(),
    usedProofs: new Map(),
    linkedPairs: new Set(),
    topics,
    heldElsewhere: NOTHING_HELD,
    lastEnds: new Map(),
  };
}

export interface LockingOptions {
  /** Installations that are to be made. */
  readonly unknownIds: ReadonlySet<string>;
  /** Packets that had to wait for what somebody else held. */
  readonly delayed: ReadonlySet<RegistryRequest>;
  readonly erasureKeys: MacKeys;
  readonly wait: LockWait;
}

/**
 * Locks everything that some packets of one app touch and reads what they are decided on, in a
 * constant number of statements, of which none waits for the answer to another unless there are
 * disputes; installations that are unknown yet are made. Locks are taken in the order that every
 * writer uses: the app's mode, logins of users, enrolments by id, rows by reference. What somebody
 * else holds is waited for, or named as such.
 */
export async function lockFacts(
  tx: Transaction,
  appRef: number,
  requests: readonly RegistryRequest[],
  { unknownIds, delayed, erasureKeys, wait }: LockingOptions,
): Promise<SyncFacts> {
  const names = namesIn(requests);
  const enrolments = requests.map(toEnrolment).filter(({ id }) => unknownIds.has(id));
  const [accountMode, userIds, enrolled, involved, moves, users, erasures, proofs, topics] =
    await flight([
      holdAccountMode(tx, appRef),
      lockLogins(tx, appRef, names.loginIds, wait),
      enrolInstallations(tx, appRef, enrolments),
      lockAllInvolved(tx, appRef, names, wait),
      // Behind the locks: whoever held one of them may just have taken the address.
      countMoves(tx, appRef, names.addressKeys, calmSince(requests)),
      findLoginFacts(tx, appRef, [...names.loginIds, ...names.bearerIds]),
      readErasures(tx, appRef, names.loginIds, erasureKeys),
      readUsedProofs(tx, appRef, names),
      topicsOfIds(tx, appRef, names.installationIds),
    ]);
  const { installations: locked, unlockedRefs } = involved;
  const refs = locked.map(({ ref }) => ref);
  const bearerRefs = names.bearerIds.flatMap((id) => users.get(id)?.ref ?? []);
  const [lastEnds, disputes, linkedPairs] = await flight([
    findLastEnds(tx, delayed.size === 0 ? [] : refs),
    readDisputes(tx, appRef, requests, locked, moves),
    findLinkedPairs(tx, refs, bearerRefs),
  ]);
  return {
    accountMode,
    installations: byId(locked),
    enrolled,
    holders: byAddress(locked),
    byDevice: byDevice(locked),
    disputes,
    users,
    erasures,
    usedProofs: proofs,
    linkedPairs,
    topics,
    heldElsewhere: { installationRefs: unlockedRefs, userIds },
    lastEnds,
  };
}

/** Everything that some packets name, each name once where that matters. */
interface PacketNames extends InvolvedNames {
  /** Users who may sign in. */
  readonly loginIds: readonly string[];
  /** Users who speak on a simple route. */
  readonly bearerIds: readonly string[];
  readonly proofIds: readonly string[];
  readonly expiredProofs: readonly ExpiredProof[];
}

function namesIn(requests: readonly RegistryRequest[]): PacketNames {
  const inputs = requests.flatMap((request) => (request.kind === 'sync' ? [request.input] : []));
  const claims = inputs.flatMap(({ user }) => user?.claims ?? []);
  return {
    installationIds: requests.map(installationIdOf),
    addressKeys: inputs.flatMap(({ token }) => token?.claim?.key ?? []),
    deviceClaims: requests.flatMap((request) =>
      request.kind === 'sync' ? (deviceClaimOf(request) ?? []) : [],
    ),
    loginIds: [...new Set(claims.map(({ id }) => id))],
    bearerIds: requests.flatMap(({ context: { caller } }) =>
      caller.kind === 'simple' && caller.bearer.kind === 'user' ? [caller.bearer.userId] : [],
    ),
    proofIds: claims.flatMap(({ proof }) => ('proofId' in proof ? [proof.proofId] : [])),
    expiredProofs: inputs.flatMap(({ installationId, user }) =>
      (user?.claims ?? []).flatMap(({ id: userId, proof }) =>
        proof.kind === 'expired' ? [{ ...proof, installationId, userId }] : [],
      ),
    ),
  };
}

function toEnrolment(request: RegistryRequest): Enrolment {
  const { caller, now } = request.context;
  const secretHash = caller.kind === 'client' ? caller.secretHash : null;
  return { id: installationIdOf(request), secretHash, at: now };
}

const LOCK_ROUNDS = 3;

/**
 * Locks the installations of the packets, whoever holds a claimed address, and what reinstalled
 * apps left behind. Who waits locks in another round whoever got involved meanwhile; after three in
 * which there were others each time, the unlocked ones are named like those that somebody holds.
 */
async function lockAllInvolved(
  tx: Transaction,
  appRef: number,
  names: PacketNames,
  wait: LockWait,
): Promise<InvolvedInstallations> {
  for (let round = 1; ; round += 1) {
    const involved = await lockInvolved(tx, appRef, names, wait);
    const isDone = wait === 'skip' || involved.unlockedRefs.size === 0 || round === LOCK_ROUNDS;
    if (isDone) return involved;
  }
}

/** Costs a statement only where an address is disputed, or about to be. */
async function readDisputes(
  tx: Transaction,
  appRef: number,
  requests: readonly RegistryRequest[],
  locked: readonly Installation[],
  moves: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, Dispute>> {
  const holders = byAddress(locked);
  const keys = requests.flatMap((request) => {
    const key = request.kind === 'sync' ? request.input.token?.claim?.key : undefined;
    if (key === undefined) return [];
    const name = key.toString('hex');
    const holder = holders.get(name);
    const isForeign = holder !== undefined && holder.id !== installationIdOf(request);
    const isDisputed = (moves.get(name) ?? 0) > LIMITS.undisputedMoves;
    return isForeign || isDisputed || holder?.token?.status === 'contested' ? [key] : [];
  });
  const open = await findOpenChallenges(tx, appRef, keys, momentOf(requests));
  const names = new Set([...moves.keys(), ...keys.map((key) => key.toString('hex'))]);
  return new Map(
    [...names].map((name) => [
      name,
      { recentMoves: moves.get(name) ?? 0, openChallenges: open.get(name) ?? [] },
    ]),
  );
}

/** Moves of an address that are older tell of no dispute. */
function calmSince(requests: readonly RegistryRequest[]): Date {
  return new Date(momentOf(requests).getTime() - LIMITS.disputeCalmMs);
}

/** Those of one batch came at about the same time. */
function momentOf([first]: readonly RegistryRequest[]): Date {
  assert(first !== undefined);
  return first.context.now;
}

async function readUsedProofs(
  tx: Transaction,
  appRef: number,
  { proofIds, expiredProofs }: PacketNames,
): Promise<ReadonlyMap<string, number>> {
  const [used, linked] = await flight([
    findUsedProofs(tx, appRef, proofIds),
    findLinkedProofs(tx, appRef, expiredProofs),
  ]);
  return new Map([...linked, ...used]);
}

async function readErasures(
  tx: Transaction,
  appRef: number,
  userIds: readonly string[],
  erasureKeys: MacKeys,
): Promise<ReadonlyMap<string, Date>> {
  const macs = erasureKeys.flatMap((key) => userIds.map((id) => ({ id, mac: idMac(key, id) })));
  const erasures = await findErasures(
    tx,
    appRef,
    macs.map(({ mac }) => mac),
  );
  const found = macs.flatMap(({ id, mac }) => {
    const erasedAt = erasures.get(mac.toString('hex'));
    return erasedAt === undefined ? [] : [[id, erasedAt] as const];
  });
  // Whoever was erased before a new master key and again after it is there twice: the last counts.
  return new Map(found.toSorted(([, a], [, b]) => a.getTime() - b.getTime()));
}

function byId(installations: readonly Installation[]): ReadonlyMap<string, Installation> {
  return new Map(installations.map((installation) => [installation.id, installation]));
}

function byAddress(installations: readonly Installation[]): ReadonlyMap<string, Installation> {
  return new Map(
    installations.flatMap((installation) => {
      const { token } = installation;
      const isHolder = token !== null && token.status !== 'retired';
      return isHolder ? [[token.key.toString('hex'), installation] as const] : [];
    }),
  );
}

function byDevice(
  installations: readonly Installation[],
): ReadonlyMap<string, readonly Installation[]> {
  const linked = installations.filter(({ links }) => links.length > 0);
  const groups = Map.groupBy(linked, ({ device }) => deviceIdOf(device) ?? '');
  groups.delete('');
  return groups;
}
