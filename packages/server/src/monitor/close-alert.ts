import { closeAlertById, type AlertRecord } from '../store/alerts.ts';
import { appendAudit } from '../store/audit.ts';
import type { Transaction } from '../store/sql.ts';

/** The person, by the key, who closes an alert. */
export interface AlertCloser {
  readonly appRef: number;
  readonly keyHint: string;
  readonly requestId: string;
}

/**
 * Closes an alert and leaves an audit record; false when it was closed before. Closing says that
 * somebody has seen to it.
 */
export async function closeAlert(
  tx: Transaction,
  closer: AlertCloser,
  alert: AlertRecord,
  now: Date,
): Promise<boolean> {
  const { appRef, keyHint, requestId } = closer;
  const closed = await closeAlertById(tx, appRef, alert.id, keyHint, now);
  await appendAudit(tx, [
    {
      appRef,
      actor: keyHint,
      action: 'alert.close',
      subject: `alert/${alert.ref}`,
      requestId,
      before: null,
      after: { closed: closed !== null },
    },
  ]);
  return closed !== null;
}
