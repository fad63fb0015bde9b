import type { ApnsAddress } from '../domain/address.ts';
import { OTHER_ENVIRONMENT } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Transaction } from './sql.ts';

/** What one push says about the token that it was sent to. */
export interface DeadToken extends RefusedToken {
  /** When the provider said so: the time of the push, unless it came as a receipt. */
  readonly heardAt: Date;
}

export interface FailedToken {
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly code: string;
}

/** A token that was refused for good. */
export interface RefusedToken extends FailedToken {
  /** The device's word from then on refutes it. */
  readonly since: Date;
}

/** A token whose refusal is not believed: no word of its device is needed to refute it. */
export interface SparedToken extends FailedToken {
  readonly since: null;
}

/** A token that was taken out of use. */
export interface ChangedToken {
  readonly installationRef: number;
  readonly token: string;
  readonly code: string;
  readonly status: 'retired' | 'quarantined';
}

/** Locks the installations that feedback is about, in the order that every writer uses. */
export async function lockForFeedback(tx: Transaction, refs: readonly number[]): Promise<void> {
  await tx`
    select 1 from installation where installation_ref = any(${[...refs]})
    order by installation_ref for no key update`;
}

/**
 * Takes dead tokens out of use (rule R8): only where the holder is still the one that was pushed
 * to, and only if the device has not confirmed the token since it is said to be dead.
 *
 * Between the provider's time of death and its word the device may have checked in without a trace,
 * because an unchanged check-in is not written for `LIMITS.checkInMs` after the last contact. Such
 * a token is put aside and keeps its holder; every other one is retired and gives its address free.
 * Nothing is sent to either, and the device's next word restores both.
 */
export async function retireTokens(
  tx: Transaction,
  tokens: readonly DeadToken[],
  now: Date,
): Promise<readonly ChangedToken[]> {
  if (tokens.length === 0) return [];
  const rows = tokens.map((token) => ({
    i: token.installationRef,
    v: token.holderVersion,
    code: token.code,
    since: token.since.toISOString(),
    heard_at: token.heardAt.toISOString(),
  }));
  return tx<ChangedToken[]>`
    update installation i
    set token_status = case
        when f.since < f.heard_at
          and f.since <= i.last_seen_at + make_interval(secs => ${LIMITS.checkInMs / 1000})
        then 'quarantined' else 'retired' end,
      token_status_code = f.code, token_status_at = ${now},
      last_failure_code = f.code, last_failure_at = ${now},
      failures_in_a_row = failures_in_a_row + 1, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(rows)}) as
      f (i bigint, v bigint, code text, since timestamptz, heard_at timestamptz)
    where i.installation_ref = f.i and i.holder_version = f.v and i.token_status <> 'retired'
      and i.token_confirmed_at < f.since
    returning i.installation_ref as "installationRef", i.token, f.code, i.token_status as status`;
}

/**
 * Puts aside tokens that the provider says belong elsewhere, unless the device has confirmed them
 * since the push (rule R8); the device's next word restores them.
 */
export async function quarantineTokens(
  tx: Transaction,
  tokens: readonly RefusedToken[],
  now: Date,
): Promise<readonly ChangedToken[]> {
  if (tokens.length === 0) return [];
  return tx<ChangedToken[]>`
    update installation i
    set token_status = 'quarantined', token_status_code = f.code, token_status_at = ${now},
      last_failure_code = f.code, last_failure_at = ${now},
      failures_in_a_row = failures_in_a_row + 1, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(toRefusedRows(tokens))}) as
      f (i bigint, v bigint, code text, since timestamptz)
    where i.installation_ref = f.i and i.holder_version = f.v and i.token_status = 'live'
      and i.token_confirmed_at < f.since
    returning i.installation_ref as "installationRef", i.token, f.code, i.token_status as status`;
}

/**
 * Those that changed hands, got another token, or confirmed theirs, since the push that was refused
 * was made.
 */
export async function findMovedOn(
  tx: Transaction,
  tokens: readonly (RefusedToken | SparedToken)[],
): Promise<readonly number[]> {
  if (tokens.length === 0) return [];
  const rows = await tx<{ installation_ref: number }[]>`
    select i.installation_ref
    from jsonb_to_recordset(${tx.json(toRefusedRows(tokens))}) as
        f (i bigint, v bigint, since timestamptz)
      join installation i on i.installation_ref = f.i
        and (i.holder_version > f.v or i.token_confirmed_at >= f.since)`;
  return rows.map((row) => row.installation_ref);
}

export async function recordFailures(
  tx: Transaction,
  tokens: readonly FailedToken[],
  now: Date,
): Promise<void> {
  if (tokens.length === 0) return;
  await tx`
    update installation i
    set last_failure_code = f.code, last_failure_at = ${now},
      failures_in_a_row = failures_in_a_row + 1
    from jsonb_to_recordset(${tx.json(toRows(tokens))}) as f (i bigint, v bigint, code text)
    where i.installation_ref = f.i and i.holder_version = f.v`;
}

/** A quarantined token and the address at which its provider takes it. */
export interface Correction {
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly address: ApnsAddress;
  readonly key: Buffer;
}

/**
 * Puts the environment of a quarantined token right, and the token in use. False when the
 * installation has changed, or somebody else holds that address (rule R1).
 */
export async function correctEnvironment(
  tx: Transaction,
  { installationRef, holderVersion, address, key }: Correction,
  now: Date,
): Promise<boolean> {
  const rows = await tx`
    update installation i
    set environment = ${address.environment}, address_key = ${key}, token_status = 'live',
      token_status_code = ${OTHER_ENVIRONMENT}, token_status_at = null, token_changed_at = ${now},
      holder_version = holder_version + 1, updated_at = ${now}
    where installation_ref = ${installationRef} and holder_version = ${holderVersion}
      and token_status = 'quarantined' and token = ${address.token}
      and not exists (
        select 1 from installation h
        where h.app_ref = i.app_ref and h.address_key = ${key} and h.token_status <> 'retired')
    returning 1`;
  return rows.length > 0;
}

/** A quarantined token that its provider takes after all. */
export interface DoubtedToken {
  readonly installationRef: number;
  readonly holderVersion: number;
  readonly token: string;
}

/** What a token had been put aside with; null where that was forgotten. */
export interface ClearedDoubt {
  readonly code: string | null;
}

/** Puts a quarantined token in use again; null when the installation has changed. */
export async function restoreDoubted(
  tx: Transaction,
  { installationRef, holderVersion, token }: DoubtedToken,
  now: Date,
): Promise<ClearedDoubt | null> {
  const [cleared] = await tx<ClearedDoubt[]>`
    update installation i
    set token_status = 'live', token_status_code = null, token_status_at = null, updated_at = ${now}
    from installation before
    where i.installation_ref = ${installationRef} and i.holder_version = ${holderVersion}
      and i.token_status = 'quarantined' and i.token = ${token}
      and before.installation_ref = i.installation_ref
    returning before.token_status_code as code`;
  return cleared ?? null;
}

/**
 * Ends the failures in a row of tokens at which a push was accepted. What a token that was taken
 * away meanwhile had failed with stays: its notifications follow by that.
 */
export async function endFailures(
  tx: Transaction,
  installationRefs: readonly number[],
): Promise<void> {
  if (installationRefs.length === 0) return;
  await tx`
    update installation set failures_in_a_row = 0
    where installation_ref = any(${[...installationRefs]})
      and failures_in_a_row > 0 and token_status in ('live', 'contested')`;
}

function toRows(tokens: readonly FailedToken[]) {
  return tokens.map((token) => ({
    i: token.installationRef,
    v: token.holderVersion,
    code: token.code,
  }));
}

function toRefusedRows(tokens: readonly (RefusedToken | SparedToken)[]) {
  return tokens.map((token) => ({
    i: token.installationRef,
    v: token.holderVersion,
    code: token.code,
    since: token.since?.toISOString() ?? null,
  }));
}
