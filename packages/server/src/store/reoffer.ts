import { LIMITS } from '../domain/limits.ts';
import type { Transaction } from './sql.ts';

interface ReofferedRow {
  readonly notification_ref: number;
  readonly reason: string;
  readonly possible_duplicate: boolean;
}

/**
 * Offers what failed because of a token again, to the tokens that these installations have by now:
 * deliveries of notifications that are neither expired nor cancelled, for users who are still
 * signed in there. They become due at once and pass the gate like every retry, under the id that
 * they had. A token that is refused again and again ends it (`LIMITS.tokenAttempts`). Call it in
 * the transaction that gave an installation its token, holding the installation's row. Returns how
 * many there were.
 */
export async function reofferDead(
  tx: Transaction,
  installationRefs: readonly number[],
  now: Date,
): Promise<number> {
  if (installationRefs.length === 0) return 0;
  const rows = await reopenDeliveries(tx, installationRefs, now);
  if (rows.length === 0) return 0;
  await moveCounters(tx, rows);
  await reopenNotifications(
    tx,
    rows.map((row) => row.notification_ref),
  );
  return rows.length;
}

/** What the ledger calls failed becomes `retrying`, with its place on the list of due retries. */
async function reopenDeliveries(
  tx: Transaction,
  installationRefs: readonly number[],
  now: Date,
): Promise<readonly ReofferedRow[]> {
  const oldest = new Date(now.getTime() - LIMITS.ttlDays * 86_400_000).toISOString().slice(0, 10);
  return tx<ReofferedRow[]>`
    with candidate as (
      select d.day, d.notification_ref, d.installation_ref, d.user_ref, d.reason,
        d.possible_duplicate, n.app_ref, n.lane
      from delivery d join notification n using (notification_ref)
        join installation i using (installation_ref)
      where d.installation_ref = any(${[...installationRefs]}) and d.day >= ${oldest}
        and d.state = 'failed' and d.reason in ('token_dead', 'token_mismatch')
        and d.attempts < ${LIMITS.tokenAttempts}
        and n.expires_at > ${now} and n.cancelled_at is null and n.purpose is null
        and i.token_status in ('live', 'contested')
        and (d.user_ref = 0 or exists (
          select 1 from link l where l.installation_ref = d.installation_ref
            and l.user_ref = d.user_ref and l.ended_at is null))
      order by d.notification_ref, d.installation_ref, d.user_ref
      for update of d
    ), reopened as (
      update delivery d set state = 'retrying', chunk_ref = null, first_sent_at = null,
        settled_at = ${now}
      from candidate c
      where d.day = c.day and d.notification_ref = c.notification_ref
        and d.installation_ref = c.installation_ref and d.user_ref = c.user_ref
    ), listed as (
      insert into retry (day, notification_ref, installation_ref, user_ref, app_ref, lane, due_at)
      select day, notification_ref, installation_ref, user_ref, app_ref, lane, ${now} from candidate
    )
    select notification_ref, reason, possible_duplicate from candidate`;
}

/** In their first part, and in the order of their key, like everybody who writes several. */
async function moveCounters(tx: Transaction, rows: readonly ReofferedRow[]): Promise<void> {
  await tx`
    with reopened as (
      select r.n, r.reason, count(*) as deliveries, count(*) filter (where r.dup) as dup
      from jsonb_to_recordset(${tx.json(
        rows.map((row) => ({
          n: row.notification_ref,
          reason: row.reason,
          dup: row.possible_duplicate,
        })),
      )}) as r (n bigint, reason text, dup boolean)
      group by r.n, r.reason
    )
    insert into notification_counter (notification_ref, state, reason, deliveries,
      possible_duplicates)
    -- A possible duplicate is counted when its fate is known, and that is open again.
    select n, 'failed', reason, -deliveries, -dup from reopened
    union all select n, 'retrying', reason, deliveries, 0 from reopened
    order by 1, 2, 3
    on conflict (notification_ref, part, state, reason) do update set
      deliveries = notification_counter.deliveries + excluded.deliveries,
      possible_duplicates = notification_counter.possible_duplicates + excluded.possible_duplicates`;
}

/** Takes the rows in any case, so that whoever is about to finish one sees what was reopened. */
export async function reopenNotifications(tx: Transaction, refs: readonly number[]): Promise<void> {
  await tx`
    select 1 from notification where notification_ref = any(${[...refs]})
    order by notification_ref for no key update`;
  await tx`
    update notification set finished_at = null
    where notification_ref = any(${[...refs]}) and finished_at is not null`;
}
