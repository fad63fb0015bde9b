import { isLockTimeout } from '../domain/database-fault.ts';
import { LIMITS } from '../domain/limits.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import type { Settlement } from '../domain/settlement.ts';
import { countSettled, fenceChunk, heartbeat, type LeasedChunk } from '../store/chunks.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { finishIfDone } from '../store/notifications.ts';
import { reofferDead } from '../store/reoffer.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { watchAnswers } from './mass-death.ts';
import { applyPurposeFacts } from './purpose-facts.ts';
import { applyTokenFacts } from './token-facts.ts';

/** What was worked at: a chunk, and what its notification is for; null where that is alerts. */
export interface SettledWork {
  readonly chunk: LeasedChunk;
  readonly purpose: PurposeTarget | null;
}

/** What became of a set of settlements: written, or not because another worker holds the chunk. */
export interface SettleResult {
  readonly chunk: 'open' | 'completed' | 'lost';
  /** Refusals of tokens that their devices had changed, or confirmed, since. */
  readonly refuted: number;
}

/**
 * Writes what happened to some deliveries of a leased chunk: ledger, counters, retries and the
 * registry's share, in one transaction that first checks the lease. A worker that was frozen past
 * its lease writes nothing; its successor has taken over.
 *
 * Everybody who needs several of these locks takes them in this order: the chunk, the minute of a
 * host, installations, acceptances, the ledger, counters, the notification. What is offered again
 * belongs to other notifications, whose ledger, counters and rows come after the counters of this
 * one. Two settlements may meet in that, and PostgreSQL has one of them run again.
 *
 * Whoever holds one of them for long, a frozen worker above all, must not make this one hold the
 * others for as long. It lets go of them and comes again, until it has written or lost its lease.
 */
export async function settle(
  db: Database,
  { chunk, purpose }: SettledWork,
  settlements: readonly Settlement[],
  now: Date,
): Promise<SettleResult> {
  const lockTimeoutMs = LIMITS.settleLockTimeoutMs;
  const write = (tx: Transaction) => writeSettlements(tx, { chunk, purpose }, settlements, now);
  for (;;) {
    try {
      return await inTransaction(db, write, { lockTimeoutMs });
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      // No heartbeat reached the chunk while it was locked from here.
      await heartbeat(db, [chunk], LIMITS.leaseMs);
    }
  }
}

async function writeSettlements(
  tx: Transaction,
  { chunk, purpose }: SettledWork,
  settlements: readonly Settlement[],
  now: Date,
): Promise<SettleResult> {
  if (!(await fenceChunk(tx, chunk))) return { chunk: 'lost', refuted: 0 };
  const movedOn =
    purpose === null
      ? await learnOfAlertTokens(tx, chunk, settlements, now)
      : await applyPurposeFacts(tx, { appRef: chunk.appRef, purpose }, settlements, now);
  await recordDeliveries(tx, chunk, settlements, now);
  await reofferDead(tx, movedOn, now);
  const progress = await countSettled(tx, chunk, settlements.length);
  if (progress === 'completed') await finishIfDone(tx, chunk.notificationRef, now);
  return { chunk: progress, refuted: movedOn.length };
}

/** Returns the installations that had another token by the time their former one was refused. */
async function learnOfAlertTokens(
  tx: Transaction,
  chunk: LeasedChunk,
  settlements: readonly Settlement[],
  now: Date,
): Promise<readonly number[]> {
  const frozen = await watchAnswers(tx, chunk, settlements, now);
  return applyTokenFacts(tx, chunk.appRef, settlements, frozen, now);
}
