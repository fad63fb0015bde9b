import assert from 'node:assert';
import { unreachableReason } from '../domain/candidate.ts';
import type { SkipReason } from '../domain/delivery.ts';
import { LIMITS } from '../domain/limits.ts';
import { walkAudience, type CandidateGroup } from '../store/audience-walk.ts';
import { deleteChunk, fenceChunk, moveOn, type LeasedChunk } from '../store/chunks.ts';
import { countSkipped } from '../store/notification-counters.ts';
import { addExpected, finishIfDone, loadAudience } from '../store/notifications.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { enqueueShares, type LaneShare } from './enqueue.ts';

/**
 * Takes one step of the walk over the audience of a notification: makes chunks of whom it finds and
 * gives the chunk that walks back, behind them in line, or ends it.
 *
 * A step is a transaction that checks the lease, makes its chunks, counts who cannot be reached,
 * adds to what is expected, and moves the cursor that the chunk itself carries. So a crash loses a
 * step and doubles nobody: whoever leases the chunk next goes on at the cursor. The place that a
 * step takes is free after it, so that many walks at once leave places for what they have made.
 */
export async function expandWalk(db: Database, chunk: LeasedChunk, now: Date): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (!(await fenceChunk(tx, chunk))) return;
    const { audience, cancelled } = await loadAudience(tx, chunk.notificationRef);
    assert(audience !== null && chunk.cursor !== null, 'only an audience has a cursor');
    // Whom nobody has looked at yet is not expected, so that nothing of it is left to be skipped.
    if (cancelled) return finish(tx, chunk, 0, now);
    const range = { kind: 'after', cursor: chunk.cursor, limit: LIMITS.walkStep } as const;
    const { cursor, groups } = await walkAudience(tx, chunk.appRef, audience, range);
    const chunks = await enqueueShares(tx, chunk, reachableShares(groups, chunk), now);
    await countSkipped(tx, chunk.notificationRef, skipCounts(groups, chunk));
    const expected = groups.reduce((sum, { recipients }) => sum + recipients.length, 0);
    if (cursor === null) return finish(tx, chunk, expected, now);
    await moveOn(tx, chunk, { cursor, turn: chunk.turn + chunks });
    // The notification's own row last: whoever settles takes it after the counters, too.
    await addExpected(tx, chunk.notificationRef, expected);
  });
}

async function finish(
  tx: Transaction,
  chunk: LeasedChunk,
  expected: number,
  now: Date,
): Promise<void> {
  await deleteChunk(tx, chunk);
  await addExpected(tx, chunk.notificationRef, expected);
  await finishIfDone(tx, [chunk.notificationRef], now);
}

function reachableShares(
  groups: readonly CandidateGroup[],
  { lane }: LeasedChunk,
): readonly LaneShare[] {
  const reachable = groups.filter((group) => unreachableReason(group, lane) === null);
  const byCredential = Map.groupBy(reachable, ({ credentialRef }) => credentialRef);
  return [...byCredential].map(([credentialRef, members]) => {
    assert(credentialRef !== null, 'whoever can be reached has a credential');
    return { credentialRef, recipients: members.flatMap(({ recipients }) => recipients) };
  });
}

function skipCounts(
  groups: readonly CandidateGroup[],
  { lane }: LeasedChunk,
): ReadonlyMap<SkipReason, number> {
  const counts = new Map<SkipReason, number>();
  for (const group of groups) {
    const reason = unreachableReason(group, lane);
    if (reason === null) continue;
    counts.set(reason, (counts.get(reason) ?? 0) + group.recipients.length);
  }
  return counts;
}
