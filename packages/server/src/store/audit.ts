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

export async function appendAudit(tx: Transaction, records: readonly AuditRecord[]): Promise<void> {
  if (records.length === 0) return;
  const rows = records.map((record, position) => ({
    position,
    app_ref: record.appRef,
    actor: record.actor,
    action: record.action,
    subject: record.subject,
    request_id: record.requestId,
    before: record.before,
    after: record.after,
  }));
  await tx`
    insert into audit (app_ref, actor, action, subject, request_id, before, after)
    select a.app_ref, a.actor, a.action, a.subject, a.request_id, a.before, a.after
    from jsonb_to_recordset(${json(rows)}) as a (position integer, app_ref bigint, actor text,
      action text, subject text, request_id text, before jsonb, after jsonb)
    order by a.position`.execute();
}
