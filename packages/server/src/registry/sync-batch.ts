import assert from 'node:assert';
import { isDatabaseUnavailable, isLockTimeout } from '../domain/database-fault.ts';
import { LIMITS } from '../domain/limits.ts';
import { RegistryBusy } from '../domain/registry-busy.ts';
import { writeChanges, type RegistryWrite } from '../store/change-set.ts';
import { findUnknownIds, withdrawEnrolments } from '../store/installations.ts';
import type { LockWait } from '../store/lock-wait.ts';
import { flight, type Database, type Transaction } from '../store/sql.ts';
import { inTransaction, type TransactionOptions } from '../store/transaction.ts';
import { ensureUsers } from '../store/users.ts';
import { hasOtherSecret } from './access-check.ts';
import { judgeLogout, logoutWrite } from './judge-logout.ts';
import { judgeSync, type SyncRules } from './judge-sync.ts';
import { isOvertaken } from './overtaken.ts';
import { predecessorsOf } from './predecessors.ts';
import { syncWrite, writesNothing, type WriteMeans } from './sync-changes.ts';
import { lockFacts, readSnapshot, type LockingOptions, type SyncFacts } from './sync-facts.ts';
import { toOutcome, type Judged, type SyncOutcome } from './sync-outcome.ts';
import { installationIdOf, type RegistryRequest } from './sync-request.ts';

/**
 * Answers those packets of one app that change nothing, from one unlocked read: an unchanged
 * check-in costs neither row nor transaction. The others are deferred to `writeBatch`.
 */
export async function readBatch(
  db: Database,
  rules: SyncRules,
  requests: readonly RegistryRequest[],
): Promise<readonly SyncOutcome[]> {
  const facts = await readSnapshot(db, appRefOf(requests), requests);
  return requests.map((request): SyncOutcome => {
    if (!isReadWhole(request, facts)) return defer(request, facts);
    const judged = judge(request, facts, rules);
    return changesNothing(judged) ? toOutcome(judged, null, facts) : defer(request, facts);
  });
}

/** Of a logout that is repeated, or comes too late, it stays true: what orders it only grows. */
function changesNothing(judged: Judged): boolean {
  switch (judged.kind) {
    case 'sync':
      return writesNothing(judged.verdict);
    case 'logout':
      return judged.verdict.kind === 'refused' || judged.verdict.changes === null;
    case 'failed':
    case 'deferred':
    case 'held_up':
      return true;
  }
}

/**
 * Writes packets of one app in one transaction; each has its own answer, in the order given.
 *
 *   read facts under lock → judge each → collect what changes → write it all
 *
 * It waits for nobody: a packet that touches what somebody else holds is held up, alone. When the
 * transaction fails all are, to be written one by one, so that a bad packet never harms another;
 * they fail alike only where the database is away.
 */
export async function writeBatch(
  db: Database,
  rules: SyncRules,
  packets: readonly AdmissiblePacket[],
): Promise<readonly SyncOutcome[]> {
  const bound = { attempts: 1, lockTimeoutMs: LIMITS.batchLockTimeoutMs };
  return writeAdmissible(db, rules, packets, { wait: 'skip', ...bound }).catch((error: unknown) => {
    if (isDatabaseUnavailable(error)) throw error;
    return packets.map((): SyncOutcome => ({ kind: 'held_up' }));
  });
}

/**
 * Writes one packet that was held up, and waits for others who hold what it touches, but not for
 * long: then it is held up once more.
 */
export async function writeAlone(
  db: Database,
  rules: SyncRules,
  packet: AdmissiblePacket,
): Promise<SyncOutcome> {
  const bound = { lockTimeoutMs: LIMITS.packetLockTimeoutMs };
  const [outcome] = await writeAdmissible(db, rules, [packet], { wait: 'wait', ...bound }).catch(
    (error: unknown): readonly SyncOutcome[] => {
      if (isLockTimeout(error)) return [{ kind: 'held_up' }];
      throw error;
    },
  );
  assert(outcome !== undefined);
  return outcome;
}

/** A packet that is to be written. */
export interface AdmissiblePacket {
  readonly request: RegistryRequest;
  /** A read found its installation a moment ago; whether another is new is asked first. */
  readonly isKnown: boolean;
  /** It had to wait for what somebody else held. */
  readonly isDelayed: boolean;
}

interface WriteManner extends TransactionOptions {
  readonly wait: LockWait;
}

async function writeAdmissible(
  db: Database,
  rules: SyncRules,
  packets: readonly AdmissiblePacket[],
  manner: WriteManner,
): Promise<readonly SyncOutcome[]> {
  const requests = packets.map(({ request }) => request);
  const unknownIds = await findUnknownIds(db, appRefOf(requests), enrollableIds(packets));
  const refusals = new Map<RegistryRequest, SyncOutcome>();
  for (const request of requests) {
    const refusal = unknownIds.has(installationIdOf(request)) ? refuseEnrolment(request) : null;
    if (refusal !== null) refusals.set(request, refusal);
  }
  const admitted = requests.filter((request) => !refusals.has(request));
  const delayed = packets.filter(({ isDelayed }) => isDelayed).map(({ request }) => request);
  const options = { unknownIds, delayed: new Set(delayed), wait: manner.wait };
  const written =
    admitted.length === 0
      ? []
      : await inTransaction(db, (tx) => writeTogether(tx, rules, admitted, options), manner);
  const outcomes = written.values();
  return requests.map((request) => refusals.get(request) ?? take(outcomes));
}

/** A logout of an installation that nobody knows makes none. */
function enrollableIds(packets: readonly AdmissiblePacket[]): readonly string[] {
  return packets.flatMap(({ request, isKnown }) =>
    request.kind === 'sync' && !isKnown ? [installationIdOf(request)] : [],
  );
}

function refuseEnrolment({ context: { caller } }: RegistryRequest): SyncOutcome | null {
  if (caller.kind === 'back_end') return null;
  try {
    caller.admit('enrolling');
    return null;
  } catch (error) {
    return { kind: 'failed', error };
  }
}

function take(outcomes: Iterator<SyncOutcome>): SyncOutcome {
  const { value, done } = outcomes.next();
  assert(done !== true);
  return value;
}

async function writeTogether(
  tx: Transaction,
  rules: SyncRules,
  requests: readonly RegistryRequest[],
  options: Omit<LockingOptions, 'erasureKeys'>,
): Promise<SyncOutcome[]> {
  const appRef = appRefOf(requests);
  const { erasure: erasureKeys } = rules.keys;
  const facts = await lockFacts(tx, appRef, requests, { ...options, erasureKeys });
  const judged = judgeInOrder(requests, facts, rules, options.delayed);
  const userRefs = await refsOfNewcomers(tx, appRef, judged);
  const means = { userRefs, nonceKey: rules.keys.nonce[0] };
  const writes = judged.map((one) => toWrite(one, means));
  await flight([
    writeChanges(
      tx,
      appRef,
      writes.filter((write) => write !== null),
    ),
    withdrawEnrolments(tx, withdrawnRefs(judged, facts)),
  ]);
  return judged.map((one, index) => toOutcome(one, writes[index] ?? null, facts));
}

/**
 * Judges packets in the order of their arrival. What is read is the state before the batch, so a
 * packet that touches an installation which an earlier one touches has to wait for the next batch.
 */
function judgeInOrder(
  requests: readonly RegistryRequest[],
  facts: SyncFacts,
  rules: SyncRules,
  delayed: ReadonlySet<RegistryRequest>,
): readonly Judged[] {
  const touched = new Set<number>();
  return requests.map((request) => {
    const refs = touchedRefs(request, facts);
    if (refs.some((ref) => touched.has(ref))) return { ...defer(request, facts), request };
    for (const ref of refs) touched.add(ref);
    if (isHeldElsewhere(request, refs, facts)) return { kind: 'held_up', request };
    if (isPurged(request, facts)) return { ...defer(request, facts), request };
    if (delayed.has(request) && isOvertaken(request, facts)) {
      return { kind: 'failed', error: new RegistryBusy(), request };
    }
    return judge(request, facts, rules);
  });
}

/**
 * Whether an installation is gone that was there when it was asked which ones are new: purged in
 * between, while this waited for its lock. In its next turn the packet enrols it anew.
 */
function isPurged(request: RegistryRequest, { installations }: SyncFacts): boolean {
  return request.kind === 'sync' && !installations.has(installationIdOf(request));
}

function defer(
  request: RegistryRequest,
  { installations, enrolled }: SyncFacts,
): Extract<SyncOutcome, { readonly kind: 'deferred' }> {
  const id = installationIdOf(request);
  return { kind: 'deferred', isKnown: installations.has(id) && !enrolled.has(id) };
}

function judge(request: RegistryRequest, facts: SyncFacts, rules: SyncRules): Judged {
  try {
    return request.kind === 'sync'
      ? { kind: 'sync', request, verdict: judgeSync(request, facts, rules) }
      : { kind: 'logout', request, verdict: judgeLogout(request, facts) };
  } catch (error) {
    return { kind: 'failed', error, request };
  }
}

function isHeldElsewhere(
  request: RegistryRequest,
  refs: readonly number[],
  { heldElsewhere }: SyncFacts,
): boolean {
  const claims = request.kind === 'sync' ? (request.input.user?.claims ?? []) : [];
  return (
    refs.some((ref) => heldElsewhere.installationRefs.has(ref)) ||
    claims.some(({ id }) => heldElsewhere.userIds.has(id))
  );
}

/** The installation itself, whoever holds the address that it claims, and what it leaves behind. */
function touchedRefs(request: RegistryRequest, facts: SyncFacts): readonly number[] {
  const own = facts.installations.get(installationIdOf(request));
  if (request.kind === 'logout') return own === undefined ? [] : [own.ref];
  const holder = facts.holders.get(request.input.token?.claim?.key.toString('hex') ?? '');
  return [own, holder, ...predecessorsOf(request, facts)].flatMap((one) => one?.ref ?? []);
}

/**
 * Whether an unlocked read of the installation alone knows everything that a packet is judged on.
 * It does for whoever has not the secret. A logout is about nothing else; where there is no secret
 * yet, a packet may be under way that brings it. What registers claims no other address than the
 * one held, and names nobody who is not signed in.
 */
function isReadWhole(request: RegistryRequest, facts: SyncFacts): boolean {
  const own = facts.installations.get(installationIdOf(request));
  if (own === undefined) return false;
  if (hasOtherSecret(own, request.context.caller)) return true;
  if (request.kind === 'logout') return own.secretHash !== null;
  const { token, user } = request.input;
  const key = token?.claim?.key.toString('hex');
  return (
    (key === undefined || facts.holders.get(key)?.ref === own.ref) &&
    (user?.claims ?? []).every(({ id }) => own.links.some(({ userId }) => userId === id))
  );
}

/** Makes users known who sign in for the first time; the references of all who sign in. */
async function refsOfNewcomers(
  tx: Transaction,
  appRef: number,
  judged: readonly Judged[],
): Promise<ReadonlyMap<string, number>> {
  const begun = judged.flatMap((one) =>
    one.kind === 'sync' && one.verdict.kind === 'decided'
      ? one.verdict.packet.decided.links.begun
      : [],
  );
  const known = begun.flatMap(({ user }) =>
    user.userRef === null ? [] : [[user.id, user.userRef] as const],
  );
  const unknown = begun.filter(({ user }) => user.userRef === null).map(({ user }) => user.id);
  return new Map([...known, ...(await ensureUsers(tx, appRef, [...new Set(unknown)]))]);
}

/** Installations that were made for packets of which nothing is kept. */
function withdrawnRefs(judged: readonly Judged[], facts: SyncFacts): readonly number[] {
  return judged.flatMap((one) => {
    const isKept = one.kind === 'sync' && one.verdict.kind === 'decided';
    return isKept ? [] : (facts.enrolled.get(installationIdOf(one.request)) ?? []);
  });
}

function toWrite(judged: Judged, means: WriteMeans): RegistryWrite | null {
  switch (judged.kind) {
    case 'sync':
      return syncWrite(judged.request, judged.verdict, means);
    case 'logout':
      return logoutWrite(judged.request, judged.verdict);
    case 'failed':
    case 'deferred':
    case 'held_up':
      return null;
  }
}

function appRefOf([first]: readonly RegistryRequest[]): number {
  assert(first !== undefined);
  return first.context.app.ref;
}
