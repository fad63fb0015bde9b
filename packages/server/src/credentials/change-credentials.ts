import assert from 'node:assert';
import { credentialSubject } from '../domain/alert.ts';
import { LIMITS } from '../domain/limits.ts';
import { closeAlertAbout } from '../store/alerts.ts';
import { lockApp, type App } from '../store/apps.ts';
import { appendAudit, type AuditRecord } from '../store/audit.ts';
import {
  countLiveCredentials,
  listCredentialCards,
  retireCredential,
  updateCredential,
  type CredentialCard,
  type CredentialPatch,
} from '../store/credential-cards.ts';
import { insertCredential } from '../store/credentials.ts';
import type { Transaction } from '../store/sql.ts';
import type { SealedCredential } from './add-credential.ts';

/** Who changes the credentials of which app, for the audit record. */
export interface CredentialChange {
  readonly app: App;
  readonly keyHint: string;
  readonly requestId: string;
  readonly now: Date;
}

/**
 * Adds a credential to an app. The newest that fits an address serves it, so work moves to this one
 * as it comes to its gate. Null when the app has as many as it may.
 */
export async function addCredentialToApp(
  tx: Transaction,
  change: CredentialChange,
  credential: SealedCredential,
): Promise<CredentialCard | null> {
  const { ref: appRef } = change.app;
  assert(credential.appRef === appRef, 'a credential is sealed for its app');
  await lockApp(tx, appRef);
  if ((await countLiveCredentials(tx, appRef)) >= LIMITS.credentialsLive) return null;
  const ref = await insertCredential(tx, credential);
  const { provider, project } = credential;
  await audit(tx, change, { action: 'credential.add', ref, after: { provider, project } });
  const [added] = await listCredentialCards(tx, appRef, { before: null, limit: 1 });
  assert(added !== undefined && added.ref === ref, 'the newest of a locked app is the added one');
  return added;
}

/** Changes what the patch names; null when the app has no such credential that is not retired. */
export async function changeCredentialOfApp(
  tx: Transaction,
  change: CredentialChange,
  id: string,
  patch: Partial<CredentialPatch>,
): Promise<CredentialCard | null> {
  const card = await updateCredential(tx, change.app.ref, id, patch);
  if (card === null) return null;
  await audit(tx, change, { action: 'credential.change', ref: card.ref, after: { ...patch } });
  return card;
}

/**
 * Retires a credential and closes the alerts about it. What waits for it goes to another one that
 * fits, or is skipped where there is none. Null when the app has no such credential any more.
 */
export async function retireCredentialOfApp(
  tx: Transaction,
  change: CredentialChange,
  id: string,
): Promise<CredentialCard | null> {
  const { app, keyHint, now } = change;
  const card = await retireCredential(tx, app.ref, id, now);
  if (card === null) return null;
  for (const kind of ['credential_stopped', 'credential_expiring'] as const) {
    const about = { appRef: app.ref, kind, subject: credentialSubject(card.ref) };
    await closeAlertAbout(tx, about, keyHint, now);
  }
  await audit(tx, change, { action: 'credential.retire', ref: card.ref, after: null });
  return card;
}

async function audit(
  tx: Transaction,
  { app, keyHint, requestId }: CredentialChange,
  { action, ref, after }: Pick<AuditRecord, 'action' | 'after'> & { readonly ref: number },
): Promise<void> {
  const subject = credentialSubject(ref);
  const record = { appRef: app.ref, actor: keyHint, action, subject, requestId };
  await appendAudit(tx, [{ ...record, before: null, after }]);
}
