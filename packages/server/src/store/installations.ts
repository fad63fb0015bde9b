import type { Installation } from '../domain/installation.ts';
import { toInstallations, type LinkedInstallationRow } from './installation-row.ts';
import type { LockWait } from './lock-wait.ts';
import {
  bytea,
  columns,
  flight,
  json,
  listOf,
  type Database,
  type Fragment,
  type Queryable,
  type Transaction,
} from './sql.ts';

/** Columns to overwrite; what is left out stays. */
export type InstallationPatch = Readonly<Record<string, unknown>>;

/**
 * Null when the app has no such installation. Removed ones are returned: they answer differently.
 */
export async function findInstallation(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<Installation | null> {
  const [installation] = await findInstallations(db, appRef, [id]);
  return installation ?? null;
}

/** Those that the app has among some ids, removed ones with them. */
export function findInstallations(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<readonly Installation[]> {
  return readInstallations(
    db,
    db`select * from installation where app_ref = ${appRef} and id = any(${listOf(db, 'uuid', ids)})`,
  );
}

/** The installations of a selection of rows, with their links, by reference. */
async function readInstallations(
  db: Queryable,
  selection: Fragment,
): Promise<readonly Installation[]> {
  const rows = await db<LinkedInstallationRow[]>`
    select i.*, l.user_ref as link_user_ref, u.id as link_user_id,
      l.started_at as link_started_at, l.asserted_at as link_asserted_at, l.rcpt as link_rcpt
    from (${selection}) i
      left join link l on l.installation_ref = i.installation_ref and l.ended_at is null
      left join app_user u on u.user_ref = l.user_ref
    order by i.installation_ref, l.link_ref`.execute();
  return toInstallations(rows);
}

/** Those among some ids that the app has never seen, or has forgotten. */
export async function findUnknownIds(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db<{ id: string }[]>`
    select n.id from unnest(${listOf(db, 'uuid', ids)}) as n (id)
    where not exists (
      select 1 from installation i where i.app_ref = ${appRef} and i.id = n.id)`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Makes empty installations of those ids that are unknown, and returns the ids of those that it
 * made; of two concurrent enrolments of one id one makes it. In the order of the ids, so that two
 * sets of enrolments wait for each other and never deadlock.
 */
export async function enrolInstallations(
  tx: Transaction,
  appRef: number,
  enrolments: readonly Enrolment[],
): Promise<ReadonlyMap<string, number>> {
  if (enrolments.length === 0) return new Map();
  const rows = enrolments.map(({ id, secretHash, at }) => ({
    id,
    secret_hash: secretHash === null ? null : bytea(secretHash),
    at: at.toISOString(),
  }));
  const made = await tx<{ id: string; installation_ref: number }[]>`
    insert into installation (app_ref, id, secret_hash, created_at, updated_at, last_seen_at)
    select ${appRef}, e.id, e.secret_hash, e.at, e.at, e.at
    from jsonb_to_recordset(${json(rows)}) as e (id uuid, secret_hash bytea, at timestamptz)
    order by e.id
    on conflict (app_ref, id) do nothing
    returning id, installation_ref`.execute();
  return new Map(made.map((row) => [row.id, row.installation_ref]));
}

export interface Enrolment {
  readonly id: string;
  readonly secretHash: Buffer | null;
  readonly at: Date;
}

/** Takes enrolments back within the transaction that made them. */
export async function withdrawEnrolments(tx: Transaction, refs: readonly number[]): Promise<void> {
  if (refs.length === 0) return;
  await tx`delete from installation where installation_ref = any(${[...refs]})`.execute();
}

/** Locks one installation and reads it; null when the app has none of this id. */
export async function lockInstallation(
  tx: Transaction,
  appRef: number,
  id: string,
): Promise<Installation | null> {
  const [, installation] = await flight([
    tx`select 1 from installation where app_ref = ${appRef} and id = ${id} for update`.execute(),
    findInstallation(tx, appRef, id),
  ]);
  return installation;
}

/**
 * Locks installations by reference and reads them, in the one order that every writer uses
 * (ascending reference), so that writers wait for each other and never deadlock. Read by a
 * statement of its own: while the first waits for a lock, what it sees of other tables grows old.
 */
export async function lockInstallationRefs(
  tx: Transaction,
  refs: readonly number[],
): Promise<readonly Installation[]> {
  const [, installations] = await flight([
    tx`
      select 1 from installation where installation_ref = any(${[...refs]})
      order by installation_ref
      for update`.execute(),
    readInstallations(
      tx,
      tx`select * from installation where installation_ref = any(${[...refs]})`,
    ),
  ]);
  return installations;
}

/** What packets say of their device and of who is there; the vendor id may be known already. */
export interface DeviceClaim {
  readonly id: string;
  readonly vendorId: string | null;
  readonly userIds: readonly string[];
}

/** Whom some packets involve, as far as they name them. */
export interface InvolvedNames {
  readonly installationIds: readonly string[];
  readonly addressKeys: readonly Buffer[];
  readonly deviceClaims: readonly DeviceClaim[];
}

/** Installations that some names involve. */
export interface InvolvedInstallations {
  readonly installations: readonly Installation[];
  /** Those of them that are read without a lock: somebody else holds them, or they came later. */
  readonly unlockedRefs: ReadonlySet<number>;
}

/**
 * Locks whom some names involve and reads them, in the order that every writer uses. Both
 * statements find them anew and go out together: what the second one finds is the state under the
 * locks that the first one may have waited for.
 */
export async function lockInvolved(
  tx: Transaction,
  appRef: number,
  names: InvolvedNames,
  wait: LockWait,
): Promise<InvolvedInstallations> {
  const [rows, installations] = await flight([
    tx<{ installation_ref: number }[]>`
      select installation_ref from installation
      where installation_ref = any(array(${involvedRefs(tx, appRef, names)}))
      order by installation_ref
      for update ${wait === 'skip' ? tx`skip locked` : tx``}`.execute(),
    readInstallations(
      tx,
      tx`select * from installation
        where installation_ref = any(array(${involvedRefs(tx, appRef, names)}))`,
    ),
  ]);
  const locked = new Set(rows.map((row) => row.installation_ref));
  const refs = installations.map(({ ref }) => ref);
  return { installations, unlockedRefs: new Set(refs.filter((ref) => !locked.has(ref))) };
}

/**
 * The references of some ids, of whoever holds some addresses, and of what reinstalled apps left
 * behind: older ones with the same vendor id on which the same person is signed in.
 */
function involvedRefs(
  db: Queryable,
  appRef: number,
  { installationIds: ids, addressKeys, deviceClaims }: InvolvedNames,
): Fragment {
  return db`
    select installation_ref from installation
    where app_ref = ${appRef} and id = any(${listOf(db, 'uuid', ids)})
    union
    select installation_ref from installation
    where app_ref = ${appRef} and address_key = any(${listOf(db, 'bytea', addressKeys)})
      and token_status <> 'retired'
    ${deviceClaims.length === 0 ? db`` : db`union ${leftBehind(db, appRef, deviceClaims)}`}`;
}

function leftBehind(db: Queryable, appRef: number, claims: readonly DeviceClaim[]): Fragment {
  const rows = claims.map(({ id, vendorId, userIds }) => ({
    id,
    vendor_id: vendorId,
    user_ids: userIds,
  }));
  return db`
    select old.installation_ref
    from jsonb_to_recordset(${json(rows)}) as c (id uuid, vendor_id text, user_ids text[])
      left join installation own on own.app_ref = ${appRef} and own.id = c.id
      join installation old on old.app_ref = ${appRef}
        and old.vendor_id = coalesce(c.vendor_id, own.vendor_id)
        and old.installation_ref is distinct from own.installation_ref
        and old.last_seen_at < coalesce(own.created_at, 'infinity')
      join link l on l.installation_ref = old.installation_ref and l.ended_at is null
      join app_user u on u.user_ref = l.user_ref
    where u.id = any(c.user_ids) or exists (
      select 1 from link mine
      where mine.installation_ref = own.installation_ref and mine.user_ref = l.user_ref
        and mine.ended_at is null)`;
}

export async function updateInstallation(
  tx: Transaction,
  ref: number,
  patch: InstallationPatch,
): Promise<void> {
  await tx`update installation set ${columns(tx, patch)} where installation_ref = ${ref}`;
}

/** The installations that hold one of the addresses; retired holders do not count. */
export function findHolders(
  db: Queryable,
  appRef: number,
  addressKeys: readonly Buffer[],
): Promise<readonly Installation[]> {
  return readInstallations(
    db,
    db`select * from installation
      where app_ref = ${appRef} and address_key = any(${listOf(db, 'bytea', addressKeys)})
        and token_status <> 'retired'`,
  );
}

/** The installations where a user is signed in. */
export function installationsOfUser(
  db: Queryable,
  appRef: number,
  userRef: number,
): Promise<readonly Installation[]> {
  return readInstallations(
    db,
    db`select own.* from link theirs join installation own using (installation_ref)
      where theirs.user_ref = ${userRef} and theirs.ended_at is null and own.app_ref = ${appRef}`,
  );
}

/**
 * Tombstones answer `410 installation_removed` for a while, then the id is forgotten: some at a
 * time; returns how many. Asked of each row once more when its lock was waited for: it may have
 * been brought back, and would lose its id and secret.
 */
export async function dropTombstones(
  db: Database,
  olderThan: Date,
  limit: number,
): Promise<number> {
  const rows = await db`
    update installation
    set id = gen_random_uuid(), secret_hash = null, forgotten_at = now()
    where installation_ref in (
      select installation_ref from installation
      where removed_at < ${olderThan} and forgotten_at is null limit ${limit})
      and removed_at < ${olderThan} and forgotten_at is null
    returning installation_ref`;
  return rows.length;
}

export interface InstallationFilter {
  readonly userRef: number | null;
  readonly addressKeys: readonly Buffer[] | null;
  readonly platform: string | null;
  /** List after this reference, ascending. */
  readonly after: number;
  readonly limit: number;
}

/** One page of an app's installations, by reference; removed ones are left out. */
export function listInstallations(
  db: Queryable,
  appRef: number,
  filter: InstallationFilter,
): Promise<readonly Installation[]> {
  const { userRef, addressKeys, platform } = filter;
  return readInstallations(
    db,
    db`select * from installation
      where app_ref = ${appRef} and installation_ref > ${filter.after} and removed_at is null
        ${userRef === null ? db`` : isLinked(db, userRef)}
        ${platform === null ? db`` : db`and platform = ${platform}`}
        ${addressKeys === null ? db`` : db`and address_key = any(${listOf(db, 'bytea', addressKeys)})`}
      order by installation_ref limit ${filter.limit}`,
  );
}

function isLinked(db: Queryable, userRef: number): Fragment {
  return db`and installation_ref in (
    select installation_ref from link where user_ref = ${userRef} and ended_at is null)`;
}
