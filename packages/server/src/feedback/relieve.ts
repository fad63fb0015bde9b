import { tokenFingerprint } from '../domain/address-key.ts';
import { LIMITS } from '../domain/limits.ts';
import { forgetLosses, restoreLosses } from '../store/answer-window.ts';
import { appendEvents } from '../store/events.ts';
import { reofferDead } from '../store/reoffer.ts';
import { advanceRelief, takeRelief, type Relief } from '../store/reliefs.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { lockForFeedback } from '../store/token-feedback.ts';
import { inTransaction } from '../store/transaction.ts';

/**
 * Does a bit of what the freezes of hosts have left to be done: gives tokens back that a host took
 * before it froze, and offers again what failed because of them after it has thawed. One short
 * transaction, so that neither settlements nor devices wait for a whole fleet; what becomes due is
 * spread by the same pace. Returns how many installations it was about; none when nothing is left.
 */
export async function relieve(db: Database, now: Date): Promise<number> {
  return inTransaction(db, async (tx) => {
    const relief = await takeRelief(tx);
    if (relief === null) return 0;
    const refs = await advanceRelief(tx, relief, LIMITS.reliefSlice);
    // The last turn only finds that nothing is left; it counts, so that another one follows it.
    if (refs.length === 0) return 1;
    await lockForFeedback(tx, refs);
    if (relief.kind === 'restore') await restore(tx, relief, refs, now);
    else await reoffer(tx, relief, refs, now);
    return refs.length;
  });
}

async function restore(
  tx: Transaction,
  relief: Relief,
  refs: readonly number[],
  now: Date,
): Promise<void> {
  const restored = await restoreLosses(tx, relief, refs, now);
  const context = { appRef: relief.appRef, at: now, source: 'provider', requestId: null } as const;
  const events = restored.map(({ installationRef, token }) => {
    const newToken = tokenFingerprint(token);
    return { installationRef, kind: 'token.restored', newToken, cause: 'mass_death' } as const;
  });
  await appendEvents(tx, context, events);
}

async function reoffer(
  tx: Transaction,
  relief: Relief,
  refs: readonly number[],
  now: Date,
): Promise<void> {
  await forgetLosses(tx, relief, refs);
  await reofferDead(tx, refs, now);
}
