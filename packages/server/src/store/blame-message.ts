import { LIMITS } from '../domain/limits.ts';
import type { Transaction } from './sql.ts';

/** A refusal of a token, as the ledger keeps it. */
export interface WrongRefusal {
  readonly installationRef: number;
  /** Of the address that was refused: a former one of the installation may be dead all the same. */
  readonly holderVersion: number;
  /** Null where it is not known any more, and nothing is corrected. */
  readonly code: string | null;
}

/**
 * Corrects the ledger where a token was blamed and the message was at fault: deliveries that failed
 * as `token_dead` with this refusal become `payload`, the reason that the sender can act on. Call
 * it in the transaction that cleared the token.
 */
export async function blameMessage(
  tx: Transaction,
  { installationRef, holderVersion, code }: WrongRefusal,
  now: Date,
): Promise<void> {
  const oldest = new Date(now.getTime() - LIMITS.ttlDays * 86_400_000).toISOString().slice(0, 10);
  await tx`
    with blamed as (
      update delivery set reason = 'payload'
      where installation_ref = ${installationRef} and state = 'failed' and reason = 'token_dead'
        and day >= ${oldest} and holder_version = ${holderVersion} and code = ${code}
      returning notification_ref, possible_duplicate
    ), moved as (
      select notification_ref, count(*) as deliveries,
        count(*) filter (where possible_duplicate) as dup
      from blamed group by 1
    )
    insert into notification_counter (notification_ref, state, reason, deliveries,
      possible_duplicates)
    select notification_ref, 'failed', 'token_dead', -deliveries, -dup from moved
    union all select notification_ref, 'failed', 'payload', deliveries, dup from moved
    order by 1, 2, 3
    on conflict (notification_ref, part, state, reason) do update set
      deliveries = notification_counter.deliveries + excluded.deliveries,
      possible_duplicates = notification_counter.possible_duplicates + excluded.possible_duplicates`;
}
