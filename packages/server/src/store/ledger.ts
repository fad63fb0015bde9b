import type { ProviderName } from '../domain/address.ts';
import type { Settlement } from '../domain/settlement.ts';
import type { LeasedChunk } from './chunks.ts';
import type { Transaction } from './sql.ts';

/** Where a set of deliveries belongs. */
export type LedgerPlace = Pick<LeasedChunk, 'appRef' | 'notificationRef' | 'day' | 'lane'>;

/** What became of some deliveries of one notification. */
export interface LedgerEntry {
  readonly place: LedgerPlace;
  readonly settlements: readonly Settlement[];
}

/** Writes what became of some deliveries: ledger, counters and retries, which never part. */
export async function recordDeliveries(
  tx: Transaction,
  given: readonly LedgerEntry[],
  now: Date,
): Promise<void> {
  const entries = given.filter(({ settlements }) => settlements.length > 0);
  if (entries.length === 0) return;
  await insertAcceptances(tx, entries, now);
  for (const { place, settlements } of entries) {
    const others = settlements.filter((one) => !isPlainAcceptance(one));
    if (others.length > 0) await writeDeliveries(tx, place, others, now);
  }
  await moveCounters(tx, entries);
  for (const { place, settlements } of entries) await insertRetries(tx, place, settlements);
}

type PlainAcceptance = Settlement & { readonly provider: ProviderName; readonly sentAt: Date };

/** Nearly every delivery: taken at its first attempt, and the ledger knows nothing of it yet. */
export function isPlainAcceptance(one: Settlement): one is PlainAcceptance {
  return (
    one.state === 'accepted' &&
    one.attempts === 1 &&
    one.previous === null &&
    !one.possibleDuplicate &&
    one.provider !== null &&
    one.sentAt !== null
  );
}

/**
 * Plain acceptances in a statement of their own, with no more columns than they have and without a
 * look for rows that cannot be there: the gate saw none, and only whoever holds the chunk writes
 * them. Processor time for each row, 500 at once, two indexes kept, PostgreSQL and Homing in µs:
 *
 *   every column as JSON, on conflict update       17.5   6.3
 *   every column as an array, on conflict update   9.9-14   3.7-6
 *   every column by COPY, which knows no conflict   8.6-11   3.8-4.5
 *   these columns, on conflict do nothing           8.5-12   1.7-1.9
 *   these columns                                   6.6-7.6   1.5-1.8
 */
async function insertAcceptances(
  tx: Transaction,
  entries: readonly LedgerEntry[],
  now: Date,
): Promise<void> {
  const plain = entries.flatMap(({ place, settlements }) =>
    settlements.filter(isPlainAcceptance).map((one) => ({ place, one })),
  );
  for (const [provider, ones] of Map.groupBy(plain, ({ one }) => one.provider)) {
    await tx`
      insert into delivery (day, notification_ref, installation_ref, user_ref, state, provider,
        provider_id, holder_version, attempts, first_sent_at, sent_at, settled_at)
      select s.day, s.notification_ref, s.i, s.u, 'accepted', ${provider}, s.provider_id,
        s.holder_version, 1, to_timestamp(s.sent_at / 1000e0), to_timestamp(s.sent_at / 1000e0),
        ${now}
      from unnest(${ones.map(({ place }) => place.day)}::date[],
        ${ones.map(({ place }) => place.notificationRef)}::bigint[],
        ${ones.map(({ one }) => one.installationRef)}::bigint[],
        ${ones.map(({ one }) => one.userRef)}::bigint[],
        ${ones.map(({ one }) => one.providerId)}::text[],
        ${ones.map(({ one }) => one.holderVersion)}::bigint[],
        ${ones.map(({ one }) => one.sentAt.getTime())}::bigint[])
        as s (day, notification_ref, i, u, provider_id, holder_version, sent_at)`;
  }
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
 * Counters stand in so many parts, of which a settlement takes one until it commits. With one part,
 * of eight runs of a notification at a time 3.2 on average waited for another's counters; with
 * sixteen parts fewer than 0.3. A report reads as many rows.
 */
const COUNTER_PARTS = 16;

/**
 * Moves the counters of notifications along with their ledgers, of each in a part that follows from
 * what is settled: a part may well be negative, and only the sum means something. Sorted, so that
 * two workers that take the same part take its rows in the same order.
 */
async function moveCounters(tx: Transaction, entries: readonly LedgerEntry[]): Promise<void> {
  const rows = entries
    .flatMap(({ place: { notificationRef: ref }, settlements }) => {
      const part = (settlements[0]?.installationRef ?? 0) % COUNTER_PARTS;
      return counterMoves(settlements).map((move) => ({ ref, part, ...move }));
    })
    .toSorted((a, b) => a.ref - b.ref || (a.state + a.reason < b.state + b.reason ? -1 : 1));
  await tx`
    insert into notification_counter (notification_ref, part, state, reason, deliveries,
      possible_duplicates)
    select m.ref, m.part, m.state, m.reason, sum(m.n), sum(m.dup)
    from jsonb_to_recordset(${tx.json(rows)})
      as m (ref bigint, part smallint, state text, reason text, n bigint, dup bigint)
    group by m.ref, m.part, m.state, m.reason
    order by m.ref, m.state, m.reason, m.part
    on conflict (notification_ref, part, state, reason) do update set
      deliveries = notification_counter.deliveries + excluded.deliveries,
      possible_duplicates = notification_counter.possible_duplicates + excluded.possible_duplicates`;
}

interface CounterMove {
  readonly state: string;
  readonly reason: string;
  readonly n: number;
  readonly dup: number;
}

function counterMoves(settlements: readonly Settlement[]): readonly CounterMove[] {
  const moves = new Map<string, CounterMove>();
  const move = (state: string, reason: string, n: number, dup: number): void => {
    const key = `${state}\u0000${reason}`;
    const sum = moves.get(key) ?? { state, reason, n: 0, dup: 0 };
    moves.set(key, { state, reason, n: sum.n + n, dup: sum.dup + dup });
  };
  for (const one of settlements) {
    // A repeat is counted once, when its fate is known; a receipt may change what was known.
    const counted = (state: string): number =>
      state !== 'retrying' && one.possibleDuplicate ? 1 : 0;
    const { previous } = one;
    if (previous !== null) move(previous.state, previous.reason, -1, -counted(previous.state));
    move(one.state, one.reason, 1, counted(one.state));
  }
  return [...moves.values()].filter(({ n, dup }) => n !== 0 || dup !== 0);
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
