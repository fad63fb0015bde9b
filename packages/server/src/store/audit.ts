import { json, type Transaction } from './sql.ts';

/** One write by a secret key or a person. */
export interface AuditRecord {
  readonly appRef: number;
  readonly actor: string;
  readonly action: string;
  /** What was changed, by internal reference: an erased person must not live on here. */
  readonly subject: string;
  readonly requestId: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

export async function appendAudit(tx: Transaction, record: AuditRecord): Promise<void> {
  await tx`
    insert into audit (app_ref, actor, action, subject, request_id, before, after)
    values (${record.appRef}, ${record.actor}, ${record.action}, ${record.subject},
      ${record.requestId}, ${json(record.before)}, ${json(record.after)})`;
}
