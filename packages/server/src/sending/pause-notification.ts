import { appendAudit } from '../store/audit.ts';
import { setNotificationPause } from '../store/notifications.ts';
import type { Transaction } from '../store/sql.ts';
import type { NotificationSender } from './accept-notification.ts';

/** What a person, or a back end, wants of a notification that is under way. */
export type PauseWish = 'pause' | 'resume';

/**
 * Lets a notification stand still, or go on, and leaves an audit record. It expires all the same.
 * False when nothing changed: it stands so already, or has ended.
 */
export async function pauseSending(
  tx: Transaction,
  { app, keyHint, requestId }: NotificationSender,
  notification: { readonly ref: number; readonly id: string },
  wish: PauseWish,
  now: Date,
): Promise<boolean> {
  const pausedAt = wish === 'pause' ? now : null;
  const changed = await setNotificationPause(tx, app.ref, notification.id, pausedAt, now);
  await appendAudit(tx, [
    {
      appRef: app.ref,
      actor: keyHint,
      action: `notification.${wish}`,
      subject: `notification/${notification.ref}`,
      requestId,
      before: null,
      after: { changed },
    },
  ]);
  return changed;
}
