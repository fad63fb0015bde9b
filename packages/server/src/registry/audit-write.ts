import { appendAudit, type AuditRecord } from '../store/audit.ts';
import type { Transaction } from '../store/sql.ts';
import { keyHintOf, type RegistryContext } from './caller.ts';

/** What was changed and how; by internal references and names of fields, never by content. */
export type AuditedWrite = Pick<AuditRecord, 'action' | 'subject' | 'before' | 'after'>;

/**
 * The audit record of a write by a secret key; null for devices, which have their timeline, unless
 * somebody is named who acts in place of a key.
 */
export function auditRecord(
  { app, caller, requestId }: RegistryContext,
  write: AuditedWrite,
  otherwise: string | null = null,
): AuditRecord | null {
  const actor = keyHintOf(caller) ?? otherwise;
  return actor === null ? null : { appRef: app.ref, actor, requestId, ...write };
}

/** Leaves the audit record of a write that makes no change set. */
export async function auditWrite(
  tx: Transaction,
  context: RegistryContext,
  write: AuditedWrite,
): Promise<void> {
  const record = auditRecord(context, write);
  if (record !== null) await appendAudit(tx, [record]);
}
