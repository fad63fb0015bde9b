import { credentialSubject } from '../domain/alert.ts';
import { daysLeft, dueWarning } from '../domain/expiry.ts';
import { closeAlertAbout, openAlert, touchAlert } from '../store/alerts.ts';
import {
  calmedExpiries,
  lockExpiring,
  noteExpiryWarning,
  type ExpiringCredential,
} from '../store/credential-expiry.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';

const KIND = 'credential_expiring';

/**
 * Opens an alert 30, 7 and 1 days before a credential in use expires, also where a person has
 * closed the one before; closes those of credentials that were replaced.
 */
export async function warnOfExpiry(db: Database, now: Date): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (const { ref, appRef } of await calmedExpiries(tx)) {
      const about = { appRef, kind: KIND, subject: credentialSubject(ref) } as const;
      await closeAlertAbout(tx, about, 'recovery', now);
    }
    for (const credential of await lockExpiring(tx, now)) await warn(tx, credential, now);
  });
}

async function warn(tx: Transaction, credential: ExpiringCredential, now: Date): Promise<void> {
  const { ref, appRef, provider, project, name, expiresAt, warnedDays } = credential;
  const detail = {
    provider,
    project,
    name,
    expires_at: expiresAt.toISOString(),
    days_left: daysLeft(expiresAt, now),
  };
  const draft = { appRef, kind: KIND, subject: credentialSubject(ref), detail } as const;
  const due = dueWarning(expiresAt, warnedDays, now);
  if (due === null) return touchAlert(tx, draft, now);
  await openAlert(tx, draft, now);
  await noteExpiryWarning(tx, ref, due);
}
