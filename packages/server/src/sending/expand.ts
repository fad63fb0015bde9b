import type { SkipReason } from '../domain/delivery.ts';
import type { Lane } from '../domain/notification.ts';
import type { Settlement } from '../domain/settlement.ts';
import { installationsByRef, installationsOfUsers, type Candidate } from '../store/audience.ts';
import { deleteChunk, fenceChunk, insertChunk, type LeasedChunk } from '../store/chunks.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { addExpected, finishIfDone } from '../store/notifications.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { LIMITS } from '../domain/limits.ts';

/**
 * Resolves a chunk of named users or installations: freezes who is addressed, puts each on the lane
 * of its credential, and records at once those that have no way to be reached. False when the lease
 * was lost; the successor starts over, since all of it is one transaction.
 */
export async function expandChunk(db: Database, chunk: LeasedChunk, now: Date): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    if (!(await fenceChunk(tx, chunk))) return false;
    const candidates = await resolve(tx, chunk);
    const unreachable = candidates.flatMap((candidate) => {
      const reason = unreachableReason(candidate, chunk.lane);
      return reason === null ? [] : [toSkip(candidate, reason)];
    });
    const reachable = candidates.filter((one) => unreachableReason(one, chunk.lane) === null);
    await addExpected(tx, chunk.notificationRef, candidates.length);
    await recordDeliveries(tx, chunk, unreachable, now);
    await enqueueByCredential(tx, chunk, reachable, now);
    await deleteChunk(tx, chunk);
    if (reachable.length === 0) await finishIfDone(tx, chunk.notificationRef, now);
    return true;
  });
}

async function resolve(tx: Transaction, chunk: LeasedChunk): Promise<readonly Candidate[]> {
  return chunk.userRefs.length > 0
    ? installationsOfUsers(tx, chunk.appRef, chunk.userRefs)
    : installationsByRef(tx, chunk.appRef, chunk.installationRefs);
}

/** Why an installation needs no look by the gate; null when it is to be put on a lane. */
export function unreachableReason(candidate: Candidate, lane: Lane): SkipReason | null {
  if (candidate.tokenStatus === null || candidate.tokenStatus === 'retired') return 'no_token';
  if (candidate.isDormant && lane === 'bulk') return 'dormant';
  return candidate.credentialRef === null ? 'no_credential' : null;
}

function toSkip(candidate: Candidate, reason: SkipReason): Settlement {
  return {
    installationRef: candidate.installationRef,
    userRef: candidate.userRef,
    state: 'skipped',
    reason,
    code: null,
    provider: null,
    providerId: null,
    holderVersion: null,
    attempts: 0,
    possibleDuplicate: false,
    firstSentAt: null,
    sentAt: null,
    dueAt: null,
    tokenFact: null,
    host: null,
    previous: null,
  };
}

async function enqueueByCredential(
  tx: Transaction,
  chunk: LeasedChunk,
  candidates: readonly Candidate[],
  now: Date,
): Promise<void> {
  const byCredential = Map.groupBy(candidates, (one) => one.credentialRef);
  for (const [credentialRef, members] of byCredential) {
    for (let from = 0; from < members.length; from += LIMITS.chunkDeliveries) {
      const part = members.slice(from, from + LIMITS.chunkDeliveries);
      await insertChunk(tx, {
        appRef: chunk.appRef,
        notificationRef: chunk.notificationRef,
        day: chunk.day,
        lane: chunk.lane,
        credentialRef,
        installationRefs: part.map((one) => one.installationRef),
        userRefs: part.map((one) => one.userRef),
        retry: false,
        availableAt: now,
      });
    }
  }
}
