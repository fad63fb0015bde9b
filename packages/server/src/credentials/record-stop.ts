import { credentialSubject } from '../domain/alert.ts';
import { closeAlertAbout, openAlert } from '../store/alerts.ts';
import { noteAcceptance, setCredentialStop } from '../store/credentials.ts';
import type { Database } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';

/** Records that a provider refuses a credential, with an alert; true if that is new. */
export async function recordStop(
  db: Database,
  credentialRef: number,
  code: string,
  now: Date,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const stopped = await setCredentialStop(tx, credentialRef, code, now);
    if (stopped === null) return false;
    const { appRef, provider, project } = stopped;
    const detail = { provider, project, code };
    await openAlert(tx, { appRef, ...alertAbout(credentialRef), detail }, now);
    return true;
  });
}

/** Records that a credential works again, which closes its alert; true if it had been stopped. */
export async function recordRecovery(
  db: Database,
  credentialRef: number,
  now: Date,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await noteAcceptance(tx, credentialRef, now);
    const resumed = await setCredentialStop(tx, credentialRef, null, now);
    if (resumed === null) return false;
    const about = { appRef: resumed.appRef, ...alertAbout(credentialRef) };
    await closeAlertAbout(tx, about, 'recovery', now);
    return true;
  });
}

function alertAbout(credentialRef: number) {
  return { kind: 'credential_stopped', subject: credentialSubject(credentialRef) } as const;
}
