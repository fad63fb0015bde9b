import assert from 'node:assert';
import { unreachableReason } from '../domain/candidate.ts';
import type { Clock } from '../domain/clock.ts';
import type { SkipReason } from '../domain/delivery.ts';
import { LIMITS } from '../domain/limits.ts';
import { walkAudience, type CandidateGroup } from '../store/audience-walk.ts';
import {
  deleteChunk,
  fenceChunk,
  moveCursor,
  releaseChunk,
  type LeasedChunk,
} from '../store/chunks.ts';
import { countSkipped } from '../store/notification-counters.ts';
import { addExpected, finishIfDone, loadAudience } from '../store/notifications.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { enqueueShares, type LaneShare } from './enqueue.ts';

export interface ExpansionDependencies {
  readonly db: Database;
  readonly clock: Clock;
  /** Aborts when the process stops: an expansion is given back between two steps. */
  readonly signal: AbortSignal;
  /** There are new chunks, though the expansion is not at its end. */
  readonly onChunks: () => void;
}

type StepEnd = 'further' | 'done' | 'lost';

/**
 * Walks over the audience of a notification, step by step, and makes chunks of whom it finds.
 *
 * Each step is a transaction that checks the lease, makes its chunks, counts who cannot be reached,
 * adds to what is expected, and moves the cursor that the chunk itself carries. So a crash loses a
 * step and doubles nobody: the successor goes on at the cursor. Others may lease what earlier steps
 * made while this one walks on.
 */
export async function expandWalk(deps: ExpansionDependencies, leased: LeasedChunk): Promise<void> {
  const { db, clock, signal, onChunks } = deps;
  let chunk = leased;
  for (;;) {
    if (signal.aborted) return releaseChunk(db, chunk, clock());
    const step = await takeStep(db, chunk, clock());
    if (step.end !== 'further') return;
    chunk = step.chunk;
    onChunks();
  }
}

async function takeStep(
  db: Database,
  chunk: LeasedChunk,
  now: Date,
): Promise<{ readonly end: StepEnd; readonly chunk: LeasedChunk }> {
  return inTransaction(db, async (tx) => {
    if (!(await fenceChunk(tx, chunk))) return { end: 'lost', chunk };
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
    const turn = chunk.turn + chunks;
    await moveCursor(tx, chunk, { cursor, turn });
    // The notification's own row last: whoever settles takes it after the counters, too.
    await addExpected(tx, chunk.notificationRef, expected);
    return { end: 'further', chunk: { ...chunk, cursor, turn } };
  });
}

async function finish(tx: Transaction, chunk: LeasedChunk, expected: number, now: Date) {
  await deleteChunk(tx, chunk);
  await addExpected(tx, chunk.notificationRef, expected);
  await finishIfDone(tx, chunk.notificationRef, now);
  return { end: 'done', chunk } as const;
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
