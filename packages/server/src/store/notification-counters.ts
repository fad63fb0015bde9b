import type { SkipReason } from '../domain/delivery.ts';
import type { Transaction } from './sql.ts';

/**
 * Counts deliveries that are skipped when their audience is expanded, without rows of the ledger:
 * a million devices that have no token would be a million rows that say nothing else. Reasons in
 * one order, as everybody takes the rows of counters.
 */
export async function countSkipped(
  tx: Transaction,
  notificationRef: number,
  counts: ReadonlyMap<SkipReason, number>,
): Promise<void> {
  if (counts.size === 0) return;
  const reasons = [...counts.keys()].toSorted();
  await tx`
    insert into notification_counter (notification_ref, state, reason, deliveries)
    select ${notificationRef}, 'skipped', k.reason, k.deliveries
    from unnest(${reasons}::text[], ${reasons.map((reason) => counts.get(reason) ?? 0)}::bigint[])
      as k (reason, deliveries)
    on conflict (notification_ref, part, state, reason) do update set
      deliveries = notification_counter.deliveries + excluded.deliveries`;
}
