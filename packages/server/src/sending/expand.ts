import assert from 'node:assert';
import { unreachableReason } from '../domain/candidate.ts';
import { skip } from '../domain/settlement.ts';
import { installationsByRef, installationsOfUsers, type Candidate } from '../store/audience.ts';
import { deleteChunk, fenceChunk, type LeasedChunk } from '../store/chunks.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { addExpected, finishIfDone } from '../store/notifications.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { enqueueShares, type LaneShare } from './enqueue.ts';
import { expandWalk } from './expand-walk.ts';

/**
 * Turns a chunk that says whom it is for, but not yet by which lane, into such that do. Ends with
 * the chunk gone, given back to be gone on with at once, or lost to a successor.
 */
export async function expandChunk(db: Database, chunk: LeasedChunk, now: Date): Promise<void> {
  if (chunk.cursor === null) await expandNamed(db, chunk, now);
  else await expandWalk(db, chunk, now);
}

/**
 * Resolves a chunk of named users or installations: freezes who is addressed, puts each on the lane
 * of its credential, and records at once those that have no way to be reached. When the lease was
 * lost, the successor starts over, since all of it is one transaction.
 */
async function expandNamed(db: Database, chunk: LeasedChunk, now: Date): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (!(await fenceChunk(tx, chunk))) return;
    const candidates = await resolve(tx, chunk);
    const unreachable = candidates.flatMap((candidate) => {
      const reason = unreachableReason(candidate, chunk.lane);
      return reason === null ? [] : [skip(candidate, reason)];
    });
    const reachable = candidates.filter((one) => unreachableReason(one, chunk.lane) === null);
    await recordDeliveries(tx, chunk, unreachable, now);
    await enqueueShares(tx, chunk, toShares(reachable), now);
    await deleteChunk(tx, chunk);
    // The notification's own row last: whoever settles takes it after the counters, too.
    await addExpected(tx, chunk.notificationRef, candidates.length);
    if (reachable.length === 0) await finishIfDone(tx, chunk.notificationRef, now);
  });
}

async function resolve(tx: Transaction, chunk: LeasedChunk): Promise<readonly Candidate[]> {
  return chunk.userRefs.length > 0
    ? installationsOfUsers(tx, chunk.appRef, chunk.userRefs, chunk)
    : installationsByRef(tx, chunk.appRef, chunk.installationRefs, chunk);
}

function toShares(candidates: readonly Candidate[]): readonly LaneShare[] {
  const byCredential = Map.groupBy(candidates, (one) => one.credentialRef);
  return [...byCredential].map(([credentialRef, recipients]) => {
    assert(credentialRef !== null, 'whoever can be reached has a credential');
    return { credentialRef, recipients };
  });
}
