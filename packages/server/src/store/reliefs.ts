import type { AnsweringHost } from '../domain/mass-death.ts';
import type { Transaction } from './sql.ts';

/**
 * What a freeze leaves to be done for the tokens that a host took from us:
 * - `restore`: they are given back, because it froze;
 * - `reoffer`: what failed because of them is offered again, because it has thawed.
 */
export type ReliefKind = 'restore' | 'reoffer';

/** A relief that this transaction holds. */
export interface Relief extends AnsweringHost {
  readonly kind: ReliefKind;
  readonly appRef: number;
}

/** Has the tokens given back that a host took since its last acceptance: it was wrong by then. */
export async function requestRestoration(
  tx: Transaction,
  appRef: number,
  { credentialRef, host }: AnsweringHost,
): Promise<void> {
  await tx`
    insert into relief (credential_ref, host, kind, app_ref, since)
    select ${credentialRef}, ${host}, 'restore', ${appRef}, coalesce((
      select max(minute) from answer_minute
      where credential_ref = ${credentialRef} and host = ${host} and accepted), '-infinity')
    on conflict (credential_ref, host, kind) do update set
      since = least(relief.since, excluded.since), through_ref = 0`;
}

/** Has offered again what failed because of the tokens that a host took until now. */
export async function requestReoffer(
  tx: Transaction,
  appRef: number,
  { credentialRef, host }: AnsweringHost,
  now: Date,
): Promise<void> {
  await tx`
    insert into relief (credential_ref, host, kind, app_ref, until)
    values (${credentialRef}, ${host}, 'reoffer', ${appRef}, ${now})
    on conflict (credential_ref, host, kind) do update set
      until = excluded.until, through_ref = 0`;
}

/** Takes a relief that nobody works at; null when there is none. */
export async function takeRelief(tx: Transaction): Promise<Relief | null> {
  const [row] = await tx<Relief[]>`
    select r.credential_ref as "credentialRef", r.host, r.kind, r.app_ref as "appRef"
    from relief r
    where r.kind = 'restore' or not exists (
      select 1 from relief before
      where before.credential_ref = r.credential_ref and before.host = r.host
        and before.kind = 'restore')
    order by r.credential_ref, r.host, r.kind limit 1
    for update skip locked`;
  return row ?? null;
}

/**
 * Moves a relief on to its next installations, and returns them. None are left when it has come to
 * its end, and it is gone.
 */
export async function advanceRelief(
  tx: Transaction,
  { credentialRef, host, kind }: Relief,
  limit: number,
): Promise<readonly number[]> {
  const rows = await tx<{ ref: number }[]>`
    with slice as (
      select l.installation_ref from relief r join token_loss l using (credential_ref, host)
      where r.credential_ref = ${credentialRef} and r.host = ${host} and r.kind = ${kind}
        and l.installation_ref > r.through_ref and l.at between r.since and r.until
      order by l.installation_ref limit ${limit}
    ), moved as (
      update relief set through_ref = (select max(installation_ref) from slice)
      where credential_ref = ${credentialRef} and host = ${host} and kind = ${kind}
        and exists (select 1 from slice)
    ), ended as (
      delete from relief
      where credential_ref = ${credentialRef} and host = ${host} and kind = ${kind}
        and not exists (select 1 from slice)
    )
    select installation_ref as ref from slice order by 1`;
  return rows.map((row) => row.ref);
}
