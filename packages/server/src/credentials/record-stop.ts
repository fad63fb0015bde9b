import { credentialSubject } from '../domain/alert.ts';
import { closeAlertAbout, openAlert } from '../store/alerts.ts';
import { findCredential, noteAcceptance, setCredentialStop } from '../store/credentials.ts';
import type { CredentialRecord } from '../store/credentials.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';

/** A credential, or one host of its provider that judges for itself. */
export interface StoppedAt {
  readonly credentialRef: number;
  readonly host: string | null;
}

type Owner = Pick<CredentialRecord, 'appRef' | 'provider' | 'project'>;

/** Records that a provider refuses a credential, with an alert; true if that is new. */
export async function recordStop(
  db: Database,
  at: StoppedAt,
  code: string,
  now: Date,
): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const owner = await noteStop(tx, at, code, now);
    if (owner === null) return false;
    const { appRef, provider, project } = owner;
    const detail = { provider, project, code, ...(at.host !== null && { host: at.host }) };
    const isNew = await openAlert(tx, { appRef, ...alertAbout(at), detail }, now);
    return isNew || at.host === null;
  });
}

/** Records that a credential works again, which closes its alert; true if it had been stopped. */
export async function recordRecovery(db: Database, at: StoppedAt, now: Date): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await noteAcceptance(tx, at.credentialRef, now);
    const owner = await noteStop(tx, at, null, now);
    if (owner === null) return false;
    const about = { appRef: owner.appRef, ...alertAbout(at) };
    const closed = await closeAlertAbout(tx, about, 'recovery', now);
    return closed !== null || at.host === null;
  });
}

/**
 * A credential's own row says that it is stopped; of a host only the alert does. Null when there is
 * nothing to be said: the row says so already, or the credential was retired.
 */
async function noteStop(
  tx: Transaction,
  { credentialRef, host }: StoppedAt,
  code: string | null,
  now: Date,
): Promise<Owner | null> {
  return host === null
    ? setCredentialStop(tx, credentialRef, code, now)
    : findCredential(tx, credentialRef);
}

function alertAbout({ credentialRef, host }: StoppedAt) {
  const subject = credentialSubject(credentialRef);
  return {
    kind: 'credential_stopped',
    subject: host === null ? subject : `${subject}@${host}`,
  } as const;
}
