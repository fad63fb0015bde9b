import type { Lane } from '../domain/notification.ts';
import { addressedInstallation } from './addressed-installation.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import type { Transaction } from './sql.ts';

/** A delivery that is due to be offered again, with the credential that serves it now. */
export interface DueRetry {
  readonly appRef: number;
  readonly notificationRef: number;
  readonly day: string;
  readonly lane: Lane;
  readonly installationRef: number;
  readonly userRef: number;
  /** Null when the installation has no address, or nothing serves it any more. */
  readonly credentialRef: number | null;
  /** What the ledger says of it so far. */
  readonly reason: string;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
  readonly holdsToken: boolean;
}

/**
 * Takes due retries off the list; what the transaction does not put elsewhere is lost. Those of a
 * purged installation are among them, without token and credential.
 */
export async function takeDueRetries(
  tx: Transaction,
  now: Date,
  limit: number,
): Promise<readonly DueRetry[]> {
  return tx<DueRetry[]>`
    with due as (
      select notification_ref, installation_ref, user_ref from retry
      where due_at <= ${now} order by due_at limit ${limit} for update skip locked
    ), taken as (
      delete from retry r using due
      where r.notification_ref = due.notification_ref
        and r.installation_ref = due.installation_ref and r.user_ref = due.user_ref
      returning r.*
    )
    select t.app_ref as "appRef", t.notification_ref as "notificationRef", t.day, t.lane,
      t.installation_ref as "installationRef", t.user_ref as "userRef",
      c.credential_ref as "credentialRef", d.reason, d.attempts,
      d.possible_duplicate as "possibleDuplicate",
      i.token_status is not null and i.token_status <> 'retired' as "holdsToken"
    from taken t join notification n using (notification_ref)
      left join lateral (${tx.unsafe(addressedInstallation('t.installation_ref'))}) i on true
      join delivery d on d.day = t.day and d.notification_ref = t.notification_ref
        and d.installation_ref = t.installation_ref and d.user_ref = t.user_ref
      left join lateral (${tx.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
    order by t.notification_ref, t.installation_ref`;
}

/** Says in the ledger which chunk offers these deliveries now: only that one may settle them. */
export async function assignToChunk(
  tx: Transaction,
  retries: readonly DueRetry[],
  chunkRef: number,
): Promise<void> {
  const [first] = retries;
  if (first === undefined) return;
  await tx`
    update delivery d set chunk_ref = ${chunkRef}
    from unnest(${retries.map((one) => one.installationRef)}::bigint[],
      ${retries.map((one) => one.userRef)}::bigint[]) as r (installation_ref, user_ref)
    where d.day = ${first.day} and d.notification_ref = ${first.notificationRef}
      and d.installation_ref = r.installation_ref and d.user_ref = r.user_ref`;
}
