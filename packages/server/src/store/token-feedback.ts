import type { Queryable, Transaction } from './sql.ts';

/** What one push says about the token that it was sent to. */
export interface DeadToken {
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly code: string;
  /** The provider's word on since when, else when the push was sent. */
  readonly deadSince: Date;
}

export interface FailedToken {
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly code: string;
}

export interface ChangedToken {
  readonly installationRef: number;
  readonly token: string;
  readonly code: string;
}

/** Locks the installations that feedback is about, in the order that every writer uses. */
export async function lockForFeedback(tx: Transaction, refs: readonly number[]): Promise<void> {
  await tx`
    select 1 from installation where installation_ref = any(${[...refs]})
    order by installation_ref for no key update`;
}

/**
 * Retires dead tokens (rule R8): only where the holder is still the one that was pushed to, and
 * only if the device has not confirmed the token since it is said to be dead. A time of death after
 * the last written confirmation retires at once, although a check-in may have been left unwritten
 * since (`LIMITS.checkInMs`): the device's next check-in restores the token anyway. Returns what
 * was retired.
 */
export async function retireTokens(
  tx: Transaction,
  tokens: readonly DeadToken[],
  now: Date,
): Promise<readonly ChangedToken[]> {
  const rows = tokens.map((token) => ({
    i: token.installationRef,
    v: token.holderVersion,
    code: token.code,
    since: token.deadSince.toISOString(),
  }));
  return tx<ChangedToken[]>`
    update installation i
    set token_status = 'retired', token_status_code = f.code, token_status_at = ${now},
      last_failure_code = f.code, last_failure_at = ${now},
      failures_in_a_row = failures_in_a_row + 1, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(rows)}) as f (i bigint, v bigint, code text, since timestamptz)
    where i.installation_ref = f.i and i.holder_version = f.v and i.token_status <> 'retired'
      and i.token_confirmed_at < f.since
    returning i.installation_ref as "installationRef", i.token, f.code`;
}

/**
 * Puts aside tokens that the provider says belong elsewhere; the device's next word restores them.
 */
export async function quarantineTokens(
  tx: Transaction,
  tokens: readonly FailedToken[],
  now: Date,
): Promise<readonly ChangedToken[]> {
  const rows = toRows(tokens);
  return tx<ChangedToken[]>`
    update installation i
    set token_status = 'quarantined', token_status_code = f.code, token_status_at = ${now},
      last_failure_code = f.code, last_failure_at = ${now},
      failures_in_a_row = failures_in_a_row + 1, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(rows)}) as f (i bigint, v bigint, code text)
    where i.installation_ref = f.i and i.holder_version = f.v and i.token_status = 'live'
    returning i.installation_ref as "installationRef", i.token, f.code`;
}

export async function recordFailures(
  tx: Transaction,
  tokens: readonly FailedToken[],
  now: Date,
): Promise<void> {
  await tx`
    update installation i
    set last_failure_code = f.code, last_failure_at = ${now},
      failures_in_a_row = failures_in_a_row + 1
    from jsonb_to_recordset(${tx.json(toRows(tokens))}) as f (i bigint, v bigint, code text)
    where i.installation_ref = f.i and i.holder_version = f.v`;
}

/** Notes that pushes were accepted; writes a row at most once a day while all is well. */
export async function recordAccepted(
  db: Queryable,
  installationRefs: readonly number[],
  day: string,
): Promise<void> {
  await db`
    update installation set last_accepted_on = ${day}, failures_in_a_row = 0
    where installation_ref = any(${[...installationRefs]})
      and (last_accepted_on is distinct from ${day} or failures_in_a_row > 0)`;
}

function toRows(tokens: readonly FailedToken[]) {
  return tokens.map((token) => ({
    i: token.installationRef,
    v: token.holderVersion,
    code: token.code,
  }));
}
