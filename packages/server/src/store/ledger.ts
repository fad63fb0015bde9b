import type { Settlement } from '../domain/settlement.ts';
import type { LeasedChunk } from './chunks.ts';
import type { Transaction } from './sql.ts';

/** Where a set of deliveries belongs. */
export type LedgerPlace = Pick<LeasedChunk, 'appRef' | 'notificationRef' | 'day' | 'lane'>;

/** Writes what became of some deliveries: ledger, counters and retries, which never part. */
export async function recordDeliveries(
  tx: Transaction,
  place: LedgerPlace,
  settlements: readonly Settlement[],
  now: Date,
): Promise<void> {
  if (settlements.length === 0) return;
  await writeDeliveries(tx, place, settlements, now);
  await moveCounters(tx, place.notificationRef, settlements);
  await insertRetries(tx, place, settlements);
}

/** One row for each delivery; the newest state wins. */
async function writeDeliveries(
  tx: Transaction,
  place: LedgerPlace,
  settlements: readonly Settlement[],
  now: Date,
): Promise<void> {
  const rows = settlements.map((one) => ({
    i: one.installationRef,
    u: one.userRef,
    state: one.state,
    reason: one.reason,
    code: one.code,
    provider: one.provider,
    provider_id: one.providerId,
    holder_version: one.holderVersion,
    attempts: one.attempts,
    dup: one.possibleDuplicate,
    first_sent_at: one.firstSentAt?.toISOString() ?? null,
    sent_at: one.sentAt?.toISOString() ?? null,
  }));
  await tx`
    insert into delivery (day, notification_ref, installation_ref, user_ref, state, reason, code,
      provider, provider_id, holder_version, attempts, possible_duplicate, first_sent_at, sent_at,
      settled_at)
    select ${place.day}, ${place.notificationRef}, s.i, s.u, s.state, s.reason, s.code, s.provider,
      s.provider_id, s.holder_version, s.attempts, s.dup, s.first_sent_at, s.sent_at, ${now}
    from jsonb_to_recordset(${tx.json(rows)}) as s (i bigint, u bigint, state text, reason text,
      code text, provider text, provider_id text, holder_version bigint, attempts smallint,
      dup boolean, first_sent_at timestamptz, sent_at timestamptz)
    on conflict (day, notification_ref, installation_ref, user_ref) do update set
      state = excluded.state, reason = excluded.reason, code = excluded.code,
      provider = excluded.provider, provider_id = excluded.provider_id,
      holder_version = excluded.holder_version, attempts = excluded.attempts,
      possible_duplicate = delivery.possible_duplicate or excluded.possible_duplicate,
      chunk_ref = null,
      first_sent_at = coalesce(delivery.first_sent_at, excluded.first_sent_at),
      sent_at = coalesce(excluded.sent_at, delivery.sent_at), settled_at = excluded.settled_at`;
}

/**
 * Moves the counters of a notification along with its ledger. Sorted, so that two workers that
 * settle deliveries of the same notification take the counter rows in the same order.
 */
async function moveCounters(
  tx: Transaction,
  notificationRef: number,
  settlements: readonly Settlement[],
): Promise<void> {
  const moves = new Map<string, { state: string; reason: string; n: number; dup: number }>();
  const move = (state: string, reason: string, n: number, dup: number): void => {
    const key = `${state}\u0000${reason}`;
    const sum = moves.get(key) ?? { state, reason, n: 0, dup: 0 };
    moves.set(key, { state, reason, n: sum.n + n, dup: sum.dup + dup });
  };
  for (const one of settlements) {
    if (one.previous !== null) move(one.previous.state, one.previous.reason, -1, 0);
    // A repeat is counted once, when its fate is known.
    const final = one.state !== 'retrying';
    move(one.state, one.reason, 1, final && one.possibleDuplicate ? 1 : 0);
  }
  const rows = [...moves.values()]
    .filter(({ n, dup }) => n !== 0 || dup !== 0)
    .toSorted((a, b) => (a.state + a.reason < b.state + b.reason ? -1 : 1));
  await tx`
    insert into notification_counter (notification_ref, state, reason, deliveries,
      possible_duplicates)
    select ${notificationRef}, m.state, m.reason, m.n, m.dup
    from jsonb_to_recordset(${tx.json(rows)}) as m (state text, reason text, n bigint, dup bigint)
    on conflict (notification_ref, state, reason) do update set
      deliveries = notification_counter.deliveries + excluded.deliveries,
      possible_duplicates = notification_counter.possible_duplicates + excluded.possible_duplicates`;
}

/** Puts deliveries on the list of those to be offered again. */
async function insertRetries(
  tx: Transaction,
  place: LedgerPlace,
  settlements: readonly Settlement[],
): Promise<void> {
  const rows = settlements.flatMap((one) =>
    one.dueAt === null
      ? []
      : [{ i: one.installationRef, u: one.userRef, due_at: one.dueAt.toISOString() }],
  );
  if (rows.length === 0) return;
  await tx`
    insert into retry (day, notification_ref, installation_ref, user_ref, app_ref, lane, due_at)
    select ${place.day}, ${place.notificationRef}, r.i, r.u, ${place.appRef}, ${place.lane}, r.due_at
    from jsonb_to_recordset(${tx.json(rows)}) as r (i bigint, u bigint, due_at timestamptz)
    on conflict (notification_ref, installation_ref, user_ref) do update
      set due_at = excluded.due_at`;
}
