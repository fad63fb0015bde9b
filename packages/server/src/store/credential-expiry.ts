import type { ProviderName } from '../domain/address.ts';
import { EXPIRY_WARNINGS_DAYS } from '../domain/expiry.ts';
import type { Transaction } from './sql.ts';

/** A credential in use whose end is near. */
export interface ExpiringCredential {
  readonly ref: number;
  readonly appRef: number;
  readonly provider: ProviderName;
  readonly project: string;
  readonly name: string;
  readonly expiresAt: Date;
  readonly warnedDays: number | null;
}

/** A credential that serves nothing any more, because a newer one serves all of it. */
const REPLACED = `exists (
  select 1 from credential k
  where k.app_ref = c.app_ref and k.provider = c.provider and k.retired_at is null
    and k.credential_ref > c.credential_ref
    and (k.provider not in ('fcm', 'webpush') or k.project = c.project)
    and c.topics <@ k.topics and c.environments <@ k.environments)`;

/** Locks the credentials in use of which somebody is to be told within the earliest warning. */
export async function lockExpiring(
  tx: Transaction,
  now: Date,
): Promise<readonly ExpiringCredential[]> {
  const [earliest] = EXPIRY_WARNINGS_DAYS;
  return tx<ExpiringCredential[]>`
    select c.credential_ref as ref, c.app_ref as "appRef", c.provider, c.project, c.name,
      c.expires_at as "expiresAt", c.expiry_warned_days as "warnedDays"
    from credential c
    where c.retired_at is null
      and c.expires_at <= ${now}::timestamptz + make_interval(days => ${earliest}::integer)
      and not ${tx.unsafe(REPLACED)}
    order by c.credential_ref for no key update`;
}

export async function noteExpiryWarning(tx: Transaction, ref: number, days: number): Promise<void> {
  await tx`update credential set expiry_warned_days = ${days} where credential_ref = ${ref}`;
}

/** The credentials with an open alert about their end that is no matter any more. */
export async function calmedExpiries(
  tx: Transaction,
): Promise<readonly { readonly ref: number; readonly appRef: number }[]> {
  return tx<{ ref: number; appRef: number }[]>`
    select c.credential_ref as ref, c.app_ref as "appRef"
    from alert a join credential c
      on c.app_ref = a.app_ref and a.subject = 'credential/' || c.credential_ref
    where a.kind = 'credential_expiring' and a.closed_at is null
      and (c.retired_at is not null or c.expires_at is null or ${tx.unsafe(REPLACED)})`;
}
