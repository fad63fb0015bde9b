import { LIMITS } from '../domain/limits.ts';
import { skip, type Settlement } from '../domain/settlement.ts';
import { insertChunk } from '../store/chunks.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { finishIfDone } from '../store/notifications.ts';
import { assignToChunk, takeDueRetries, type DueRetry } from '../store/retries.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';

/**
 * Turns due retries into chunks, so that a second attempt takes exactly the way of a first one,
 * gate included. Returns how many there were.
 */
export async function promoteRetries(db: Database, now: Date): Promise<number> {
  return inTransaction(db, async (tx) => {
    const due = await takeDueRetries(tx, now, LIMITS.chunkDeliveries);
    const groups = Map.groupBy(due, (one) => `${one.notificationRef}/${one.credentialRef}`);
    for (const group of groups.values()) await enqueue(tx, group, now);
    // Last, because the retries are off the list: only their chunks say that work is left.
    const unreachable = due.filter((one) => one.credentialRef === null);
    await finishIfDone(tx, [...new Set(unreachable.map((one) => one.notificationRef))], now);
    return due.length;
  });
}

async function enqueue(tx: Transaction, group: readonly DueRetry[], now: Date): Promise<void> {
  const [first] = group;
  if (first === undefined) return;
  if (first.credentialRef === null) {
    await recordDeliveries(tx, [{ place: first, settlements: group.map(toUnreachable) }], now);
    return;
  }
  const chunkRef = await insertChunk(tx, {
    appRef: first.appRef,
    notificationRef: first.notificationRef,
    day: first.day,
    lane: first.lane,
    credentialRef: first.credentialRef,
    installationRefs: group.map((one) => one.installationRef),
    userRefs: group.map((one) => one.userRef),
    cursor: null,
    retry: true,
    availableAt: now,
    turn: null,
  });
  await assignToChunk(tx, group, chunkRef);
}

/** The address or its credential went away while the delivery waited. */
function toUnreachable(retry: DueRetry): Settlement {
  return {
    ...skip(retry, retry.holdsToken ? 'no_credential' : 'no_token'),
    attempts: retry.attempts,
    possibleDuplicate: retry.possibleDuplicate,
    previous: { state: 'retrying', reason: retry.reason },
  };
}
