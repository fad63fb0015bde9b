import { lockAllShared, lockExclusively, lockShared, tryLockAllShared } from './advisory-lock.ts';
import { leaveLists } from './audience-lists.ts';
import type { LockWait } from './lock-wait.ts';
import { columns, flight, listOf, type Queryable, type Transaction } from './sql.ts';

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
async function findUserRefs(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db<{ id: string; user_ref: number }[]>`
    select id, user_ref from app_user where app_ref = ${appRef} and id = any(${[...ids]})`;
  return new Map(rows.map((row) => [row.id, row.user_ref]));
}

/**
 * What ends a user's sessions waits for logins of that user, and logins wait for it, until the
 * transaction ends. A row cannot carry this lock: an erased user has none, and a login of a new one
 * makes it. Taken before any installation is locked, by everybody.
 */
export async function lockUserSessions(tx: Transaction, appRef: number, id: string): Promise<void> {
  await lockExclusively(tx, userLock(appRef, id));
}

/** The logins' side of the same lock, for any number of users; returns those not locked. */
export async function lockLogins(
  tx: Transaction,
  appRef: number,
  ids: readonly string[],
  wait: LockWait,
): Promise<ReadonlySet<string>> {
  const locks = ids.map((id) => ({ ...userLock(appRef, id), id }));
  if (wait === 'skip') {
    return new Set((await tryLockAllShared(tx, locks)).map(({ id }) => id));
  }
  await lockAllShared(tx, locks);
  return new Set();
}

function userLock(appRef: number, id: string) {
  return { purpose: 'user', name: `${appRef}/${id}` } as const;
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

/**
 * Makes users known that are not, and returns the references of all. The caller holds the lock on
 * their logins, so that none of them is erased meanwhile. In the order of the ids, so that two sets
 * of new users wait for each other and never deadlock.
 */
export async function ensureUsers(
  tx: Transaction,
  appRef: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const sorted = [...ids].toSorted();
  const [, refs] = await flight([
    tx`
      insert into app_user (app_ref, id) select ${appRef}, id from unnest(${sorted}::text[]) as id
      on conflict do nothing`.execute(),
    findUserRefs(tx, appRef, sorted),
  ]);
  return refs;
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
 * user alone are emptied, also those that were being accepted just now, uploaded lists lose the
 * user, and a keyed digest of the id remains for a day, against assertions from before.
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
    on conflict (app_ref, id_mac) do update
      set not_before = greatest(user_tombstone.not_before, excluded.not_before)`;
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
  await leaveLists(tx, appRef, user.id);
  await tx`delete from app_user where user_ref = ${user.ref}`;
}

/** What a login has to know of a user. */
export interface LoginFacts {
  readonly ref: number;
  /** Assertions issued until then are refused. */
  readonly notBefore: Date | null;
}

/** By the customer's ids; only those that are known. */
export async function findLoginFacts(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LoginFacts>> {
  if (ids.length === 0) return new Map();
  const rows = await db<{ id: string; user_ref: number; not_before: Date | null }[]>`
    select id, user_ref, not_before from app_user
    where app_ref = ${appRef} and id = any(${listOf(db, 'text', ids)})`;
  return new Map(rows.map((row) => [row.id, { ref: row.user_ref, notBefore: row.not_before }]));
}

/**
 * From when on assertions for erased users are taken again, by the keyed digests of their ids in
 * hex; only those of whom something is remembered.
 */
export async function findErasures(
  db: Queryable,
  appRef: number,
  idMacs: readonly Buffer[],
): Promise<ReadonlyMap<string, Date>> {
  if (idMacs.length === 0) return new Map();
  const rows = await db<{ id_mac: Buffer; not_before: Date }[]>`
    select id_mac, not_before from user_tombstone
    where app_ref = ${appRef} and id_mac = any(${listOf(db, 'bytea', idMacs)})`;
  return new Map(rows.map((row) => [row.id_mac.toString('hex'), row.not_before]));
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
