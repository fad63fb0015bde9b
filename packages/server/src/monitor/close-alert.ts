import { closeAlertById, type AlertRecord } from '../store/alerts.ts';
import { appendAudit } from '../store/audit.ts';
import { clearAnswerWindow } from '../store/answer-window.ts';
import { requestReoffer } from '../store/reliefs.ts';
import type { Transaction } from '../store/sql.ts';
import { frozenHost } from '../domain/mass-death.ts';

/** The person, by the key, who closes an alert. */
export interface AlertCloser {
  readonly appRef: number;
  readonly keyHint: string;
  readonly requestId: string;
}

/**
 * Closes an alert and leaves an audit record; false when it was closed before. Closing says that
 * somebody has seen to it. An open freeze is its alert: closing it believes the provider again,
 * and offers it once more what it refused meanwhile.
 */
export async function closeAlert(
  tx: Transaction,
  closer: AlertCloser,
  alert: AlertRecord,
  now: Date,
): Promise<boolean> {
  const { appRef, keyHint, requestId } = closer;
  const host = alert.kind === 'mass_death_freeze' ? frozenHost(alert.subject) : null;
  // Settlements take the minutes of a host before its alert, and so must a person.
  if (host !== null && alert.closedAt === null) await clearAnswerWindow(tx, host);
  const closed = await closeAlertById(tx, appRef, alert.id, keyHint, now);
  if (closed !== null && host !== null) await requestReoffer(tx, appRef, host, now);
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
