import { tokenFingerprint } from '../domain/address-key.ts';
import { appendEvents } from '../store/events.ts';
import { emptyInstallation, lockInstallations } from '../store/installations.ts';
import { closeLink } from '../store/links.ts';
import type { Database } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

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
  return inTransaction(db, async (tx) => {
    const { app, caller, requestId, now } = context;
    const { installation } = await lockInstallations(tx, app.ref, installationId, null);
    const refusal = refuseAccess(installation, caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const { ref, link, token } = installation;
    if (link !== null) await closeLink(tx, ref, 'removed', now);
    await emptyInstallation(tx, ref, now);
    const detached =
      link === null
        ? []
        : [
            {
              installationRef: ref,
              kind: 'user.detached',
              userRef: link.userRef,
              cause: 'removed',
            } as const,
          ];
    const oldToken = token === null ? null : tokenFingerprint(token.address.token);
    await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
      ...detached,
      { installationRef: ref, kind: 'installation.removed', oldToken },
    ]);
    await auditWrite(tx, context, {
      action: 'installation.remove',
      subject: `installation/${ref}`,
      before: { user: link?.userRef ?? null },
      after: null,
    });
    return { kind: 'removed_now' };
  });
}
