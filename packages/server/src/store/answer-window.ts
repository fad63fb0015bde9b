import type { AnsweringHost, AnswerWindow } from '../domain/mass-death.ts';
import type { FailedToken } from './token-feedback.ts';
import type { Queryable, Transaction } from './sql.ts';

/**
 * Notes that a host took something. Writes one row a minute and reads one otherwise, so that the
 * settlements of a healthy credential never wait for each other here. True when it is the first
 * acceptance of its minute.
 */
export async function noteAcceptance(
  tx: Transaction,
  { credentialRef, host }: AnsweringHost,
  now: Date,
): Promise<boolean> {
  const rows = await tx`
    insert into answer_minute (credential_ref, host, minute, accepted, refused)
    select ${credentialRef}, ${host}, date_trunc('minute', ${now}::timestamptz), true, 0
    where not exists (
      select 1 from answer_minute
      where credential_ref = ${credentialRef} and host = ${host} and accepted
        and minute = date_trunc('minute', ${now}::timestamptz))
    on conflict (credential_ref, host, minute) do update set accepted = true
    returning 1`;
  return rows.length > 0;
}

/**
 * Counts answers that took nothing. Whoever does so holds the minute of its host until it commits:
 * what it reads of the window then is complete.
 */
export async function noteRefusals(
  tx: Transaction,
  { credentialRef, host }: AnsweringHost,
  count: number,
  now: Date,
): Promise<void> {
  await tx`
    insert into answer_minute (credential_ref, host, minute, accepted, refused)
    values (${credentialRef}, ${host}, date_trunc('minute', ${now}::timestamptz), false, ${count})
    on conflict (credential_ref, host, minute) do update
      set refused = answer_minute.refused + excluded.refused`;
}

/** Remembers tokens in use that a host takes from us, each once, as they were before. */
export async function recordLosses(
  tx: Transaction,
  { credentialRef, host }: AnsweringHost,
  tokens: readonly FailedToken[],
  now: Date,
): Promise<void> {
  const rows = tokens.map((token) => ({ i: token.installationRef, v: token.holderVersion }));
  await tx`
    insert into token_loss (credential_ref, host, installation_ref, holder_version, status_before,
      at)
    select distinct on (i.installation_ref) ${credentialRef}::bigint, ${host}, i.installation_ref,
      i.holder_version, i.token_status, ${now}::timestamptz
    from jsonb_to_recordset(${tx.json(rows)}) as f (i bigint, v bigint)
      join installation i on i.installation_ref = f.i and i.holder_version = f.v
    where i.token_status in ('live', 'contested')
    order by i.installation_ref
    on conflict (credential_ref, host, installation_ref) do update set
      holder_version = excluded.holder_version, status_before = excluded.status_before,
      at = excluded.at`;
}

/** What a host answered since a moment; losses that a thaw has made up for do not count. */
export async function readAnswerWindow(
  db: Queryable,
  { credentialRef, host }: AnsweringHost,
  since: Date,
): Promise<AnswerWindow> {
  const [row] = await db<AnswerWindow[]>`
    select coalesce(bool_or(accepted), false) as accepted,
      coalesce(sum(refused), 0)::bigint as refusals, (
        select count(*) from token_loss
        where credential_ref = ${credentialRef} and host = ${host}
          and at > greatest(${since}::timestamptz, (
            select until from relief
            where credential_ref = ${credentialRef} and host = ${host} and kind = 'reoffer'))
      ) as "lostTokens"
    from answer_minute
    where credential_ref = ${credentialRef} and host = ${host}
      and minute >= date_trunc('minute', ${since}::timestamptz)`;
  return row ?? { accepted: false, lostTokens: 0, refusals: 0 };
}

export interface RestoredToken {
  readonly installationRef: number;
  readonly token: string;
}

/**
 * Gives installations back what a host took from them, unless they have changed, or somebody else
 * holds the address by now. The caller holds their rows.
 */
export async function restoreLosses(
  tx: Transaction,
  { credentialRef, host }: AnsweringHost,
  installationRefs: readonly number[],
  now: Date,
): Promise<readonly RestoredToken[]> {
  return tx<RestoredToken[]>`
    with lost as (
      -- Of several former holders of one address the last one gets it back.
      select distinct on (i.app_ref, i.address_key) i.installation_ref, l.status_before
      from token_loss l join installation i using (installation_ref, holder_version)
      where l.credential_ref = ${credentialRef} and l.host = ${host}
        and l.installation_ref = any(${[...installationRefs]})
        and i.token_status in ('retired', 'quarantined')
        and not exists (
          select 1 from installation h
          where h.app_ref = i.app_ref and h.address_key = i.address_key
            and h.token_status <> 'retired' and h.installation_ref <> i.installation_ref)
      order by i.app_ref, i.address_key, l.at desc
    )
    update installation i
    set token_status = lost.status_before, token_status_code = null, token_status_at = null,
      updated_at = ${now}
    from lost where i.installation_ref = lost.installation_ref
    returning i.installation_ref as "installationRef", i.token`;
}

/** Forgets what a host took from installations. */
export async function forgetLosses(
  tx: Transaction,
  { credentialRef, host }: AnsweringHost,
  installationRefs: readonly number[],
): Promise<void> {
  await tx`
    delete from token_loss where credential_ref = ${credentialRef} and host = ${host}
      and installation_ref = any(${[...installationRefs]})`;
}

/** Starts a host's window anew. It takes its minutes, which comes before any alert about it. */
export async function clearAnswerWindow(
  tx: Transaction,
  { credentialRef, host }: AnsweringHost,
): Promise<void> {
  await tx`
    with held as (
      select minute from answer_minute where credential_ref = ${credentialRef} and host = ${host}
      order by minute for update
    )
    delete from answer_minute where credential_ref = ${credentialRef} and host = ${host}
      and minute in (select minute from held)`;
}
