import type { Recipient } from '../domain/delivery.ts';
import { LIMITS } from '../domain/limits.ts';
import { insertChunk, type LeasedChunk } from '../store/chunks.ts';
import type { Transaction } from '../store/sql.ts';

/** Who of an audience goes on the lane of one credential. */
export interface LaneShare {
  readonly credentialRef: number;
  readonly recipients: readonly Recipient[];
}

/**
 * Puts recipients of the notification that `source` expands on their lanes, in chunks. Each takes a
 * place in line behind the one before it, from the place of the source on; returns how many there
 * are.
 */
export async function enqueueShares(
  tx: Transaction,
  source: LeasedChunk,
  shares: readonly LaneShare[],
  now: Date,
): Promise<number> {
  let chunks = 0;
  for (const { credentialRef, recipients } of shares) {
    for (let from = 0; from < recipients.length; from += LIMITS.chunkDeliveries) {
      const part = recipients.slice(from, from + LIMITS.chunkDeliveries);
      await insertChunk(tx, {
        appRef: source.appRef,
        notificationRef: source.notificationRef,
        day: source.day,
        lane: source.lane,
        credentialRef,
        installationRefs: part.map((one) => one.installationRef),
        userRefs: part.map((one) => one.userRef),
        cursor: null,
        retry: false,
        availableAt: now,
        turn: source.turn + chunks,
      });
      chunks += 1;
    }
  }
  return chunks;
}
