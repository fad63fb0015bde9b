import assert from 'node:assert';
import { isDatabaseUnavailable } from '../domain/database-fault.ts';
import { writeChanges, type RegistryWrite } from '../store/change-set.ts';
import { findUnknownIds, withdrawEnrolments } from '../store/installations.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { ensureUsers } from '../store/users.ts';
import { judgeSync, type SyncRules, type SyncVerdict } from './judge-sync.ts';
import { predecessorsOf } from './predecessors.ts';
import { syncWrite, writesNothing } from './sync-changes.ts';
import { lockFacts, readSnapshot, type SyncFacts } from './sync-facts.ts';
import type { SyncRequest, SyncResult } from './sync-request.ts';

/** What became of one packet of a batch. */
export type SyncOutcome =
  | { readonly kind: 'answered'; readonly result: SyncResult }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing was done for it: it has to be written, or to wait for an earlier packet. */
  | { readonly kind: 'deferred' };

/**
 * Answers those packets of one app that change nothing, from one unlocked read: an unchanged
 * check-in costs neither row nor transaction. The others are deferred to `writeBatch`.
 */
export async function readBatch(
  db: Database,
  rules: SyncRules,
  requests: readonly SyncRequest[],
): Promise<readonly SyncOutcome[]> {
  const facts = await readSnapshot(db, appRefOf(requests), requests);
  return requests.map((request): SyncOutcome => {
    if (!isAboutItself(request, facts)) return { kind: 'deferred' };
    const judged = judge(request, facts, rules);
    if (judged.kind !== 'judged') return judged;
    if (!writesNothing(judged.verdict)) return { kind: 'deferred' };
    return { kind: 'answered', result: toResult(judged.verdict, null, facts) };
  });
}

/**
 * Writes packets of one app in one transaction; each has its own answer, in the order given.
 *
 *   read facts under lock → judge each → collect what changes → write it all
 *
 * When that fails, they run again one by one, so that a bad packet never harms another. All fail
 * alike only where the database is away.
 */
export async function writeBatch(
  db: Database,
  rules: SyncRules,
  requests: readonly SyncRequest[],
): Promise<readonly SyncOutcome[]> {
  const ids = requests.map(({ input }) => input.installationId);
  const unknownIds = await findUnknownIds(db, appRefOf(requests), ids);
  const refusals = new Map<SyncRequest, SyncOutcome>();
  for (const request of requests) {
    const refusal = unknownIds.has(request.input.installationId) ? refuseEnrolment(request) : null;
    if (refusal !== null) refusals.set(request, refusal);
  }
  const admitted = requests.filter((request) => !refusals.has(request));
  const written = await writeAdmitted(db, rules, admitted, unknownIds);
  const outcomes = written.values();
  return requests.map((request) => refusals.get(request) ?? take(outcomes));
}

function refuseEnrolment({ context: { caller } }: SyncRequest): SyncOutcome | null {
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

async function writeAdmitted(
  db: Database,
  rules: SyncRules,
  requests: readonly SyncRequest[],
  unknownIds: ReadonlySet<string>,
): Promise<readonly SyncOutcome[]> {
  if (requests.length === 0) return [];
  const isAlone = requests.length === 1;
  const work = (tx: Transaction) => writeTogether(tx, rules, requests, unknownIds);
  try {
    // A lost race costs a packet that is alone another attempt, and many their company.
    return await (isAlone ? inTransaction(db, work) : inTransaction(db, work, 1));
  } catch (error) {
    if (isAlone || isDatabaseUnavailable(error))
      return requests.map(() => ({ kind: 'failed', error }));
  }
  const outcomes: SyncOutcome[] = [];
  for (const request of requests) {
    outcomes.push(...(await writeAdmitted(db, rules, [request], unknownIds)));
  }
  return outcomes;
}

async function writeTogether(
  tx: Transaction,
  rules: SyncRules,
  requests: readonly SyncRequest[],
  unknownIds: ReadonlySet<string>,
): Promise<SyncOutcome[]> {
  const appRef = appRefOf(requests);
  const facts = await lockFacts(tx, appRef, requests, unknownIds, rules.keys.erasure);
  const judged = judgeInOrder(requests, facts, rules);
  const userRefs = await refsOfNewcomers(tx, appRef, judged);
  const writes = judged.map((one) =>
    one.kind === 'judged'
      ? syncWrite(one.request, one.verdict, { userRefs, nonceKey: rules.keys.nonce })
      : null,
  );
  await Promise.all([
    writeChanges(
      tx,
      appRef,
      writes.filter((write) => write !== null),
    ),
    withdrawEnrolments(tx, withdrawnRefs(judged, facts)),
  ]);
  return judged.map((one, index): SyncOutcome => {
    if (one.kind !== 'judged') return one;
    return { kind: 'answered', result: toResult(one.verdict, writes[index] ?? null, facts) };
  });
}

type Judged =
  | { readonly kind: 'judged'; readonly request: SyncRequest; readonly verdict: SyncVerdict }
  | (Exclude<SyncOutcome, { readonly kind: 'answered' }> & { readonly request: SyncRequest });

/**
 * Judges packets in the order of their arrival. What is read is the state before the batch, so a
 * packet that touches an installation which an earlier one touches has to wait for the next batch.
 */
function judgeInOrder(
  requests: readonly SyncRequest[],
  facts: SyncFacts,
  rules: SyncRules,
): readonly Judged[] {
  const touched = new Set<number>();
  return requests.map((request) => {
    const refs = involvedRefs(request, facts);
    if (refs.some((ref) => touched.has(ref))) return { kind: 'deferred', request };
    for (const ref of refs) touched.add(ref);
    return judge(request, facts, rules);
  });
}

function judge(request: SyncRequest, facts: SyncFacts, rules: SyncRules): Judged {
  try {
    return { kind: 'judged', request, verdict: judgeSync(request, facts, rules) };
  } catch (error) {
    return { kind: 'failed', error, request };
  }
}

/** The installation itself, whoever holds the address that it claims, and what it leaves behind. */
function involvedRefs(request: SyncRequest, facts: SyncFacts): readonly number[] {
  const { installationId, token } = request.input;
  const own = facts.installations.get(installationId);
  const holder = facts.holders.get(token?.claim?.key.toString('hex') ?? '');
  return [own, holder, ...predecessorsOf(request, facts)].flatMap((one) => one?.ref ?? []);
}

/**
 * Whether an unlocked read of the installation alone knows everything that a packet is judged on:
 * it claims no other address than the one held, and names nobody who is not signed in.
 */
function isAboutItself({ context, input }: SyncRequest, facts: SyncFacts): boolean {
  const own = facts.installations.get(input.installationId);
  if (own === undefined || context.caller.kind !== 'client') return false;
  const key = input.token?.claim?.key.toString('hex');
  const claims = input.user?.claims ?? [];
  return (
    (key === undefined || facts.holders.get(key)?.ref === own.ref) &&
    claims.every(({ id }) => own.links.some(({ userId }) => userId === id))
  );
}

/** Makes users known who sign in for the first time; the references of all who sign in. */
async function refsOfNewcomers(
  tx: Transaction,
  appRef: number,
  judged: readonly Judged[],
): Promise<ReadonlyMap<string, number>> {
  const begun = judged.flatMap((one) =>
    one.kind === 'judged' && one.verdict.kind === 'decided'
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
    const isKept = one.kind === 'judged' && one.verdict.kind === 'decided';
    return isKept ? [] : (facts.enrolled.get(one.request.input.installationId) ?? []);
  });
}

function toResult(verdict: SyncVerdict, write: RegistryWrite | null, facts: SyncFacts): SyncResult {
  switch (verdict.kind) {
    case 'refused':
      return { kind: verdict.refusal };
    case 'forked':
      return { kind: 'forked' };
    case 'token_held':
      return { kind: 'token_held', ...verdict.nonce };
    case 'token_challenged':
      return { kind: 'token_challenged', asked: verdict.asked };
    case 'decided': {
      const { installation, created, packet } = verdict;
      const { orders, links } = packet.decided;
      const topics = facts.topics.get(installation.ref) ?? [];
      return {
        kind: 'synced',
        created,
        installation: write?.changes.saved[0] ?? installation,
        topics: topics.filter((topic) => links.ended.every((end) => end.userRef !== topic.userRef)),
        orders,
        refused: links.refused,
      };
    }
  }
}

function appRefOf([first]: readonly SyncRequest[]): number {
  assert(first !== undefined);
  return first.context.app.ref;
}
