import { appendAudit, type AuditRecord } from '../store/audit.ts';
import type { Transaction } from '../store/sql.ts';
import { keyHintOf, type RegistryContext } from './caller.ts';

/** What was changed and how; by internal references and names of fields, never by content. */
export type AuditedWrite = Pick<AuditRecord, 'action' | 'subject' | 'before' | 'after'>;

/** Leaves an audit record of a write by a secret key; devices have their timeline instead. */
export async function auditWrite(
  tx: Transaction,
  context: RegistryContext,
  write: AuditedWrite,
): Promise<void> {
  const { app, caller, requestId } = context;
  const actor = keyHintOf(caller);
  if (actor !== null) await appendAudit(tx, { appRef: app.ref, actor, requestId, ...write });
}
