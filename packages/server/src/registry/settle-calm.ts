import { tokenFingerprint } from '../domain/address-key.ts';
import { NO_CHANGES } from '../domain/change-set.ts';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { closeCalmAlerts, lockCalm } from '../store/calm.ts';
import { writeChanges, type RegistryWrite } from '../store/change-set.ts';
import type { Database } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';

/**
 * Ends disputes that a day of calm has ended: what was stopped for users may go to the token again,
 * which is whose it was left to. Does some of them; the next hour does the rest.
 */
export async function settleCalm(db: Database, now: Date): Promise<void> {
  const since = new Date(now.getTime() - LIMITS.disputeCalmMs);
  await inTransaction(db, async (tx) => {
    const calm = await lockCalm(tx, since);
    for (const [appRef, theirs] of Map.groupBy(calm, (one) => one.appRef)) {
      await writeChanges(
        tx,
        appRef,
        theirs.flatMap((one) => inUseAgain(one, now)),
      );
    }
    await closeCalmAlerts(tx, since, now);
  });
}

function inUseAgain(installation: Installation, at: Date): readonly RegistryWrite[] {
  const { ref: installationRef, token } = installation;
  if (token === null) return [];
  const live = { ...token, status: 'live', statusCode: null, statusAt: null } as const;
  const newToken = tokenFingerprint(token.address.token);
  const event = { installationRef, kind: 'token.restored', newToken, cause: 'calm' } as const;
  const saved = [{ ...installation, token: live, updatedAt: at }];
  const stamp = { at, source: 'policy', requestId: null } as const;
  return [
    { changes: { ...NO_CHANGES, saved, events: [event] }, stamp, audit: null, held: installation },
  ];
}
