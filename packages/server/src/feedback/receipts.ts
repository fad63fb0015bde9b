import { refuseAccess, type AccessRefusal } from '../registry/access-check.ts';
import type { RegistryContext } from '../registry/caller.ts';
import { findInstallation } from '../store/installations.ts';
import { insertReceipts, type NewReceipt } from '../store/receipts.ts';
import type { Database } from '../store/sql.ts';

export type ReceiptsResult =
  | {
      readonly kind: 'recorded';
      /** Receipts of notifications that went to this installation, new or repeated. */
      readonly stored: number;
      /** The others: unknown notifications, and those of another app or installation. */
      readonly ignored: number;
    }
  | { readonly kind: AccessRefusal };

/** One report as it came in. */
export interface ReportedReceipt extends Omit<NewReceipt, 'notificationId'> {
  /** Null when what the device named cannot be a notification. */
  readonly notificationId: string | null;
}

/**
 * Records what a device confirms: displayed, opened, dismissed. A repetition has no further effect
 * and the same answer. Unknown notifications are no error, because a device cannot know what a
 * server has forgotten and would repeat a refused batch for ever.
 */
export async function recordReceipts(
  db: Database,
  context: RegistryContext,
  installationId: string,
  receipts: readonly ReportedReceipt[],
): Promise<ReceiptsResult> {
  const { app, caller, now } = context;
  const installation = await findInstallation(db, app.ref, installationId);
  const refusal = refuseAccess(installation, caller);
  if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
  const named = receipts.flatMap(({ notificationId, kind, at }) =>
    notificationId === null ? [] : [{ notificationId, kind, at }],
  );
  const stored =
    named.length === 0 ? 0 : await insertReceipts(db, app.ref, installation.ref, named, now);
  return { kind: 'recorded', stored, ignored: receipts.length - stored };
}
