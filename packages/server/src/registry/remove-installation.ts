import { removalChanges } from '../domain/removal.ts';
import { writeChanges } from '../store/change-set.ts';
import { lockInstallation } from '../store/installations.ts';
import type { Database } from '../store/sql.ts';
import { inRequestTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditRecord } from './audit-write.ts';
import { stampOf, type RegistryContext } from './caller.ts';

export type RemoveResult = { readonly kind: 'removed_now' } | { readonly kind: AccessRefusal };

/**
 * Removes an installation: the app was uninstalled or its data wiped. What stays is a tombstone,
 * which answers late packets with `410 installation_removed`.
 */
export async function removeInstallation(
  db: Database,
  context: RegistryContext,
  installationId: string,
): Promise<RemoveResult> {
  return inRequestTransaction(db, async (tx) => {
    const { app, caller, now } = context;
    const installation = await lockInstallation(tx, app.ref, installationId);
    const refusal = refuseAccess(installation, caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const audit = auditRecord(context, {
      action: 'installation.remove',
      subject: `installation/${installation.ref}`,
      before: { users: installation.links.map(({ userRef }) => userRef) },
      after: null,
    });
    const changes = removalChanges(installation, now);
    await writeChanges(tx, app.ref, [{ changes, stamp: stampOf(context), audit, held: null }]);
    return { kind: 'removed_now' };
  });
}
