import { json, type Database } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { ensureUser, updateUser, type UserRecord } from '../store/users.ts';
import { auditWrite } from './audit-write.ts';
import type { RegistryContext } from './caller.ts';

/** What a back end tells about a user. Left out = unchanged, null = cleared. */
export interface UserChange {
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly preferences?: Readonly<Record<string, unknown>>;
  readonly consent?: Readonly<Record<string, unknown>>;
  readonly quiet_hours?: Readonly<Record<string, unknown>> | null;
  readonly locale?: string | null;
  readonly time_zone?: string | null;
}

const JSON_FIELDS = new Set(['attributes', 'preferences', 'consent', 'quiet_hours']);

/**
 * Makes the user known if need be, overwrites what the change names, and leaves an audit record.
 */
export async function changeUser(
  db: Database,
  context: RegistryContext,
  userId: string,
  change: UserChange,
): Promise<UserRecord> {
  const { app, now } = context;
  return inTransaction(db, async (tx) => {
    const before = await ensureUser(tx, app.ref, userId);
    const patch = Object.entries(change).map(([field, value]) => [
      field,
      JSON_FIELDS.has(field) && value !== null ? json(value) : value,
    ]);
    await updateUser(tx, before.ref, { ...Object.fromEntries(patch), updated_at: now });
    await auditWrite(tx, context, {
      action: 'user.change',
      subject: `user/${before.ref}`,
      before: null,
      // Names of fields only: the audit must survive an erasure without holding the person.
      after: { fields: Object.keys(change) },
    });
    return ensureUser(tx, app.ref, userId);
  });
}
