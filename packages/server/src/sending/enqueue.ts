import type { Recipient } from '../domain/delivery.ts';
import { LIMITS } from '../domain/limits.ts';
import { insertChunk, type NewChunk } from '../store/chunks.ts';
import type { Transaction } from '../store/sql.ts';

/** Who of an audience goes on the lane of one credential. */
export interface LaneShare {
  readonly credentialRef: number;
  readonly recipients: readonly Recipient[];
}

/** The notification whose recipients are enqueued, and the first place in line for them. */
export type EnqueuePlace = Pick<NewChunk, 'appRef' | 'notificationRef' | 'day' | 'lane' | 'turn'>;

/**
 * Puts recipients of a notification on their lanes, in chunks. Each takes a place in line behind
 * the one before it, from `turn` on, or the place next in line where that is null; returns how many
 * there are.
 */
export async function enqueueShares(
  tx: Transaction,
  place: EnqueuePlace,
  shares: readonly LaneShare[],
  now: Date,
): Promise<number> {
  let chunks = 0;
  for (const { credentialRef, recipients } of shares) {
    for (let from = 0; from < recipients.length; from += LIMITS.chunkDeliveries) {
      const part = recipients.slice(from, from + LIMITS.chunkDeliveries);
      await insertChunk(tx, {
        appRef: place.appRef,
        notificationRef: place.notificationRef,
        day: place.day,
        lane: place.lane,
        credentialRef,
        installationRefs: part.map((one) => one.installationRef),
        userRefs: part.map((one) => one.userRef),
        cursor: null,
        retry: false,
        availableAt: now,
        turn: place.turn === null ? null : place.turn + chunks,
      });
      chunks += 1;
    }
  }
  return chunks;
}
