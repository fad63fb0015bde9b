import { lockExclusively, lockShared } from './advisory-lock.ts';
import { columns, type Queryable, type Transaction } from './sql.ts';

export interface UserRecord {
  readonly ref: number;
  readonly appRef: number;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly preferences: Readonly<Record<string, unknown>>;
  readonly consent: Readonly<Record<string, unknown>>;
  readonly quietHours: Readonly<Record<string, unknown>> | null;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly notBefore: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface UserRow {
  readonly user_ref: number;
  readonly app_ref: number;
  readonly id: string;
  readonly attributes: Record<string, unknown>;
  readonly preferences: Record<string, unknown>;
  readonly consent: Record<string, unknown>;
  readonly quiet_hours: Record<string, unknown> | null;
  readonly locale: string | null;
  readonly time_zone: string | null;
  readonly not_before: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export async function findUser(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<UserRecord | null> {
  const [row] = await db<UserRow[]>`
    select * from app_user where app_ref = ${appRef} and id = ${id}`;
  return row === undefined ? null : toUser(row);
}

/** The references of the known users among some ids. */
export async function findUserRefs(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db<{ id: string; user_ref: number }[]>`
    select id, user_ref from app_user where app_ref = ${appRef} and id = any(${[...ids]})`;
  return new Map(rows.map((row) => [row.id, row.user_ref]));
}

/**
 * Makes what ends a user's sessions (`exclusive`) wait for logins of that user, and logins
 * (`shared`) for it, until the transaction ends. A row cannot carry this lock: an erased user has
 * none, and a login of a new one makes it. Taken before any installation is locked, by everybody.
 */
export async function lockUserSessions(
  tx: Transaction,
  appRef: number,
  id: string,
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const lock = { purpose: 'user', name: `${appRef}/${id}` } as const;
  await (mode === 'shared' ? lockShared(tx, lock) : lockExclusively(tx, lock));
}

/**
 * Keeps an app's erasures out while something that names users is being stored (`shared`), and
 * waits for all of that before an erasure looks for it (`exclusive`). One lock for all users: a
 * notification may name a thousand of them, known or not.
 */
export async function lockErasures(
  tx: Transaction,
  appRef: number,
  mode: 'shared' | 'exclusive',
): Promise<void> {
  const lock = { purpose: 'erasure', name: String(appRef) } as const;
  await (mode === 'shared' ? lockShared(tx, lock) : lockExclusively(tx, lock));
}

const ENSURE_ROUNDS = 3;

/** Makes the user known if it is not, and returns it locked against erasure. */
export async function ensureUser(tx: Transaction, appRef: number, id: string): Promise<UserRecord> {
  for (let round = 1; round <= ENSURE_ROUNDS; round += 1) {
    await tx`
      insert into app_user (app_ref, id) values (${appRef}, ${id}) on conflict do nothing`;
    const [row] = await tx<UserRow[]>`
      select * from app_user where app_ref = ${appRef} and id = ${id} for key share`;
    if (row !== undefined) return toUser(row);
    // An erasure came between the two statements; the next round makes a fresh user.
  }
  throw new Error('the user is being erased again and again');
}

/** Overwrites what the patch names. */
export async function updateUser(
  tx: Transaction,
  userRef: number,
  patch: Readonly<Record<string, unknown>>,
): Promise<void> {
  await tx`update app_user set ${columns(tx, patch)} where user_ref = ${userRef}`;
}

/** Refuses assertions up to and including the second of `instant`. */
export async function refuseAssertionsBefore(
  tx: Transaction,
  userRef: number,
  instant: Date,
): Promise<void> {
  await tx`
    update app_user set not_before = greatest(not_before, ${instant}), updated_at = now()
    where user_ref = ${userRef}`;
}

/**
 * Forgets who a user is. Rows elsewhere keep the bare reference; notifications addressed to the
 * user alone are emptied, also those that were being accepted just now, and a keyed digest of the
 * id remains for a day, against assertions from before.
 */
export async function eraseUser(
  tx: Transaction,
  appRef: number,
  user: UserRecord,
  idMac: Buffer,
  now: Date,
): Promise<void> {
  await tx`
    insert into user_tombstone (app_ref, id_mac, not_before) values (${appRef}, ${idMac}, ${now})
    on conflict (app_ref, id_mac) do update set not_before = excluded.not_before`;
  await lockErasures(tx, appRef, 'exclusive');
  await tx`
    update notification
    set content = '{}', locales = '{}', variables = '{}', recipient_variables = '{}',
      overrides = '{}', labels = '{}', audience = '{"users": []}', collapse_key = null
    where user_bound and app_ref = ${appRef} and audience->'users' ? ${user.id}
      and audience->'users' <@ ${tx.json([user.id])}`;
  await tx`
    update notification
    set recipient_variables = recipient_variables - ${user.id},
      audience = jsonb_set(audience, '{users}', (audience->'users') - ${user.id})
    where user_bound and app_ref = ${appRef} and audience->'users' ? ${user.id}`;
  await tx`delete from app_user where user_ref = ${user.ref}`;
}

/** From when on assertions for an erased user are taken again; null when nothing is remembered. */
export async function erasedUntil(
  db: Queryable,
  appRef: number,
  idMac: Buffer,
): Promise<Date | null> {
  const [row] = await db<{ not_before: Date }[]>`
    select not_before from user_tombstone where app_ref = ${appRef} and id_mac = ${idMac}`;
  return row?.not_before ?? null;
}

function toUser(row: UserRow): UserRecord {
  return {
    ref: row.user_ref,
    appRef: row.app_ref,
    id: row.id,
    attributes: row.attributes,
    preferences: row.preferences,
    consent: row.consent,
    quietHours: row.quiet_hours,
    locale: row.locale,
    timeZone: row.time_zone,
    notBefore: row.not_before,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
