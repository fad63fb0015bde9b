import { appendAudit } from '../store/audit.ts';
import { cancelNotification } from '../store/notifications.ts';
import type { Transaction } from '../store/sql.ts';
import type { NotificationSender } from './accept-notification.ts';

/**
 * Stops what has not started of a notification, and leaves an audit record. True when something of
 * it could still have gone out.
 */
export async function cancelSending(
  tx: Transaction,
  { app, keyHint, requestId }: NotificationSender,
  notification: { readonly ref: number; readonly id: string },
  now: Date,
): Promise<boolean> {
  const cancelled = await cancelNotification(tx, app.ref, notification.id, now);
  await appendAudit(tx, [
    {
      appRef: app.ref,
      actor: keyHint,
      action: 'notification.cancel',
      subject: `notification/${notification.ref}`,
      requestId,
      before: null,
      after: { cancelled },
    },
  ]);
  return cancelled;
}
