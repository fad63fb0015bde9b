import type { Installation } from '../domain/installation.ts';
import { addressColumns, toInstallation, type InstallationRow } from './installation-row.ts';
import { columns, type Database, type Queryable, type Transaction } from './sql.ts';

/** Columns to overwrite; what is left out stays. */
export type InstallationPatch = Readonly<Record<string, unknown>>;

const LOCK_ROUNDS = 3;

/**
 * Null when the app has no such installation. Removed ones are returned: they answer differently.
 */
export async function findInstallation(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<Installation | null> {
  const [row] = await db<InstallationRow[]>`
    select * from installation where app_ref = ${appRef} and id = ${id}`;
  return row === undefined ? null : toInstallation(row);
}

/**
 * Makes an empty installation unless there is one; a concurrent enrolment of the same id wins once.
 */
export async function insertInstallation(
  tx: Transaction,
  appRef: number,
  id: string,
  secretHash: Buffer | null,
  now: Date,
): Promise<boolean> {
  const rows = await tx`
    insert into installation (app_ref, id, secret_hash, created_at, updated_at, last_seen_at)
    values (${appRef}, ${id}, ${secretHash}, ${now}, ${now}, ${now})
    on conflict (app_ref, id) do nothing
    returning installation_ref`;
  return rows.length === 1;
}

/** Takes back an enrolment within the transaction that made it. */
export async function deleteInstallation(tx: Transaction, ref: number): Promise<void> {
  await tx`delete from installation where installation_ref = ${ref}`;
}

export interface LockedInstallations {
  readonly installation: Installation | null;
  /** The other installation that holds the address, if any. */
  readonly holder: Installation | null;
}

/**
 * Locks an installation and whoever else holds an address, in the one order that every writer uses
 * (ascending reference), so that writers wait for each other and never deadlock. The holder is
 * found without a lock first and checked again under it; after three rounds in which it kept
 * changing the last state read is returned, and the unique index has the final word.
 */
export async function lockInstallations(
  tx: Transaction,
  appRef: number,
  id: string,
  addressKey: Buffer | null,
): Promise<LockedInstallations> {
  for (let round = 1; ; round += 1) {
    const refs = await tx<{ installation_ref: number }[]>`
      select installation_ref from installation where app_ref = ${appRef} and id = ${id}
      union
      select installation_ref from installation
      where app_ref = ${appRef} and address_key = ${addressKey} and token_status <> 'retired'`;
    const rows = await tx<InstallationRow[]>`
      select * from installation
      where installation_ref = any(${refs.map((row) => row.installation_ref)})
      order by installation_ref
      for update`;
    const locked = rows.map(toInstallation);
    const holder = locked.find((row) => row.id !== id && holds(row, addressKey)) ?? null;
    const installation = locked.find((row) => row.id === id) ?? null;
    const vanished = refs.length > locked.length || (locked.length > 1 && holder === null);
    if (!vanished || round === LOCK_ROUNDS) return { installation, holder };
  }
}

function holds(installation: Installation, addressKey: Buffer | null): boolean {
  const token = installation.token;
  if (token === null || addressKey === null || token.status === 'retired') return false;
  return token.key.equals(addressKey);
}

/** Locks installations by reference, in the common order. */
export async function lockInstallationRefs(
  tx: Transaction,
  refs: readonly number[],
): Promise<readonly Installation[]> {
  const rows = await tx<InstallationRow[]>`
    select * from installation where installation_ref = any(${[...refs]})
    order by installation_ref
    for update`;
  return rows.map(toInstallation);
}

export async function updateInstallation(
  tx: Transaction,
  ref: number,
  patch: InstallationPatch,
): Promise<void> {
  await tx`update installation set ${columns(tx, patch)} where installation_ref = ${ref}`;
}

/**
 * Gives an installation that a back end made to the client that has it: from now on its secret
 * opens it. A user who is signed in gets the addressee tag that the device can compute.
 */
export async function adoptInstallation(
  tx: Transaction,
  ref: number,
  secretHash: Buffer,
  rcpt: string | null,
): Promise<void> {
  await tx`
    update installation
    set secret_hash = ${secretHash}, rcpt = case when user_ref is null then null else ${rcpt} end
    where installation_ref = ${ref}`;
  await tx`update link set rcpt = ${rcpt} where installation_ref = ${ref} and ended_at is null`;
}

/**
 * Takes the address from an installation, which keeps its link: a phone that really comes back gets
 * its pushes back. A statement of its own, before the winner's: in one statement the unique index
 * would see both rows.
 */
export async function releaseAddress(tx: Transaction, ref: number, now: Date): Promise<void> {
  const cleared = { ...addressColumns(null), ...TOKEN_CLEARED, updated_at: now };
  await tx`
    update installation
    set ${columns(tx, cleared)}, holder_version = holder_version + 1
    where installation_ref = ${ref}`;
}

/** The token columns of an installation without an address. */
export const TOKEN_CLEARED = {
  address_key: null,
  token_status: null,
  token_status_code: null,
  token_status_at: null,
  token_confirmed_at: null,
  token_changed_at: null,
} as const;

/** The installations that hold one of the addresses; retired holders do not count. */
export async function findHolders(
  db: Queryable,
  appRef: number,
  addressKeys: readonly Buffer[],
): Promise<readonly Installation[]> {
  const rows = await db<InstallationRow[]>`
    select * from installation
    where app_ref = ${appRef} and address_key = any(${byteaArray(addressKeys)}::text::bytea[])
      and token_status <> 'retired'`;
  return rows.map(toInstallation);
}

/** An array of bytes as PostgreSQL's own text form: the driver takes a list of buffers for one. */
function byteaArray(values: readonly Buffer[]): string {
  return `{${values.map((value) => `"\\\\x${value.toString('hex')}"`).join(',')}}`;
}

/** The installations where a user is signed in. */
export async function installationsOfUser(
  db: Queryable,
  appRef: number,
  userRef: number,
): Promise<readonly Installation[]> {
  const rows = await db<InstallationRow[]>`
    select i.* from link l join installation i using (installation_ref)
    where l.user_ref = ${userRef} and l.ended_at is null and i.app_ref = ${appRef}
    order by i.installation_ref`;
  return rows.map(toInstallation);
}

/** Keeps the row as a tombstone and empties it of the address, the person and the device. */
export async function emptyInstallation(tx: Transaction, ref: number, now: Date): Promise<void> {
  const emptied = {
    ...addressColumns(null),
    ...TOKEN_CLEARED,
    ...DEVICE_CLEARED,
    removed_at: now,
    updated_at: now,
  };
  await tx`
    update installation
    set ${columns(tx, emptied)}, tags = '{}', device_tags = '{}',
      preferences = '{}', holder_version = holder_version + 1
    where installation_ref = ${ref}`;
  await tx`delete from topic_subscription where installation_ref = ${ref}`;
  await tx`delete from topic_mark where installation_ref = ${ref}`;
  await tx`delete from purpose_token where installation_ref = ${ref}`;
}

const DEVICE_CLEARED = {
  user_ref: null,
  linked_at: null,
  rcpt: null,
  permission: null,
  dormant_since: null,
  label: null,
  model: null,
  os_version: null,
  locale: null,
  time_zone: null,
  vendor_id: null,
} as const;

/** Tombstones answer `410 installation_removed` for a while, then the id is forgotten. */
export async function dropTombstones(db: Database, olderThan: Date): Promise<number> {
  const rows = await db`
    update installation
    set id = gen_random_uuid(), secret_hash = null, forgotten_at = now()
    where removed_at < ${olderThan} and forgotten_at is null
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
export async function listInstallations(
  db: Queryable,
  appRef: number,
  filter: InstallationFilter,
): Promise<readonly Installation[]> {
  const { userRef, addressKeys, platform } = filter;
  const rows = await db<InstallationRow[]>`
    select * from installation
    where app_ref = ${appRef} and installation_ref > ${filter.after} and removed_at is null
      ${userRef === null ? db`` : db`and user_ref = ${userRef}`}
      ${platform === null ? db`` : db`and platform = ${platform}`}
      ${addressKeys === null ? db`` : db`and address_key = any(${byteaArray(addressKeys)}::text::bytea[])`}
    order by installation_ref limit ${filter.limit}`;
  return rows.map(toInstallation);
}
