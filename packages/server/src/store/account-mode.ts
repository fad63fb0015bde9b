import assert from 'node:assert';
import type { AccountMode } from '../domain/registration.ts';
import { lockAllShared, lockExclusively } from './advisory-lock.ts';
import { updateApp } from './apps.ts';
import { flight, type Queryable, type Transaction } from './sql.ts';
import { allowScans } from './transaction.ts';

/** The mode of an app at this moment. */
export async function readAccountMode(db: Queryable, appRef: number): Promise<AccountMode> {
  const [row] = await db<{ account_mode: AccountMode }[]>`
    select account_mode from app where app_ref = ${appRef}`;
  assert(row !== undefined);
  return row.account_mode;
}

/**
 * The same, and nobody switches it until the transaction ends. A lock of its own: holding the app's
 * row would make every registration write to it.
 */
export async function holdAccountMode(tx: Transaction, appRef: number): Promise<AccountMode> {
  const [, mode] = await flight([
    lockAllShared(tx, [modeLock(appRef)]),
    readAccountMode(tx, appRef),
  ]);
  return mode;
}

/** Waits for all registrations that are being written, and makes later ones wait. */
export async function lockAccountMode(tx: Transaction, appRef: number): Promise<void> {
  await lockExclusively(tx, modeLock(appRef));
}

function modeLock(appRef: number) {
  return { purpose: 'accountMode', name: String(appRef) } as const;
}

/** The installations on which several users are signed in, by reference, after one of them. */
export async function sharedInstallationRefs(
  db: Queryable,
  appRef: number,
  after: number,
  limit: number,
): Promise<readonly number[]> {
  const rows = await db<{ installation_ref: number }[]>`
    select installation_ref from link
    where app_ref = ${appRef} and ended_at is null and installation_ref > ${after}
    group by installation_ref having count(*) > 1
    order by installation_ref limit ${limit}`;
  return rows.map((row) => row.installation_ref);
}

/** Installations on which several users are signed in, and how many sign-ins that are. */
export interface SharedInstallations {
  readonly installations: number;
  readonly links: number;
}

export async function countSharedInstallations(
  db: Queryable,
  appRef: number,
): Promise<SharedInstallations> {
  const [row] = await db<SharedInstallations[]>`
    select count(*) as installations, coalesce(sum(links), 0)::bigint as links from (
      select count(*) as links from link
      where app_ref = ${appRef} and ended_at is null
      group by installation_ref having count(*) > 1
    ) shared`;
  return row ?? { installations: 0, links: 0 };
}

/**
 * Writes the mode. Where one user is to be alone, the index that sees to it has to know the links
 * that began while there could be several. That other links are in it is in nobody's way: a
 * link that begins in the other mode is not, so that they stay as they are.
 */
export async function writeAccountMode(
  tx: Transaction,
  appRef: number,
  mode: AccountMode,
): Promise<void> {
  await updateApp(tx, appRef, { account_mode: mode });
  if (mode === 'multi') return;
  await allowScans(tx);
  await tx`
    update link set exclusive = true
    where app_ref = ${appRef} and ended_at is null and not exclusive`;
}
