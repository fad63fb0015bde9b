import type { Transaction } from './sql.ts';
import { sha256 } from '../domain/sha256.ts';

/**
 * What locks without a row are for. PostgreSQL keeps locks of two integers apart from those of one,
 * so that these never meet the constants that migrations and maintenance use.
 */
const CLASSES = {
  user: 1,
  erasure: 2,
  purposeAddress: 3,
  idempotencyKey: 4,
  maintenance: 5,
  accountMode: 6,
} as const;
type LockClass = keyof typeof CLASSES;

/** What is locked. Two names with one digest merely wait for each other. */
export interface LockName {
  readonly purpose: LockClass;
  readonly name: string;
}

/** Waits until nobody else holds the lock in any form; holds it until the transaction ends. */
export async function lockExclusively(tx: Transaction, lock: LockName): Promise<void> {
  await tx`select pg_advisory_xact_lock(${CLASSES[lock.purpose]}::integer, ${digest(lock)}::integer)`;
}

/** Waits until nobody holds the lock exclusively; holds it until the transaction ends. */
export async function lockShared(tx: Transaction, lock: LockName): Promise<void> {
  await tx`
    select pg_advisory_xact_lock_shared(${CLASSES[lock.purpose]}::integer, ${digest(lock)}::integer)`;
}

/**
 * The same for any number of locks, taken in ascending order: two sets that overlap, and somebody
 * who waits for one of them exclusively, wait for each other and never deadlock.
 */
export async function lockAllShared(tx: Transaction, locks: readonly LockName[]): Promise<void> {
  for (const [purpose, members] of Map.groupBy(locks, (lock) => lock.purpose)) {
    const digests = [...new Set(members.map(digest))].toSorted((a, b) => a - b);
    await tx`
      select pg_advisory_xact_lock_shared(${CLASSES[purpose]}::integer, digest)
      from unnest(${digests}::integer[]) as digest`.execute();
  }
}

/**
 * Takes those of some locks for which nobody has to be waited for; returns the others. What is
 * taken is held until the transaction ends.
 */
export async function tryLockAllShared<Lock extends LockName>(
  tx: Transaction,
  locks: readonly Lock[],
): Promise<readonly Lock[]> {
  const taken = new Map<LockClass, ReadonlySet<number>>();
  for (const [purpose, members] of Map.groupBy(locks, (lock) => lock.purpose)) {
    const digests = [...new Set(members.map(digest))];
    const rows = await tx<{ digest: number }[]>`
      select digest from unnest(${digests}::integer[]) as digest
      where pg_try_advisory_xact_lock_shared(${CLASSES[purpose]}::integer, digest)`.execute();
    taken.set(purpose, new Set(rows.map((row) => row.digest)));
  }
  return locks.filter((lock) => taken.get(lock.purpose)?.has(digest(lock)) !== true);
}

/** False when somebody else holds the lock; true holds it until the transaction ends. */
export async function tryLock(tx: Transaction, lock: LockName): Promise<boolean> {
  const [row] = await tx<{ locked: boolean }[]>`
    select pg_try_advisory_xact_lock(
      ${CLASSES[lock.purpose]}::integer, ${digest(lock)}::integer) as locked`;
  return row?.locked === true;
}

function digest({ name }: LockName): number {
  return sha256(name).readInt32BE(0);
}
