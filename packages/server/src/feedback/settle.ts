import assert from 'node:assert';
import { isLockTimeout } from '../domain/database-fault.ts';
import { LIMITS } from '../domain/limits.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import type { Settlement } from '../domain/settlement.ts';
import { countSettled, fenceChunks, type LeasedChunk } from '../store/chunks.ts';
import { heartbeat } from '../store/leases.ts';
import { isPlainAcceptance, recordDeliveries } from '../store/ledger.ts';
import { finishIfDone } from '../store/notifications.ts';
import { reofferDead } from '../store/reoffer.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { insertTickets } from '../store/tickets.ts';
import { inTransaction } from '../store/transaction.ts';
import { watchAnswers } from './mass-death.ts';
import { changePurposeTokens } from './purpose-facts.ts';
import { changesToken, changeTokens, noteAccepted } from './token-facts.ts';

/** What became of some deliveries of a leased chunk. */
export interface ChunkSettlements {
  readonly chunk: LeasedChunk;
  /** What its notification is for; null where it goes to the alert tokens. */
  readonly purpose: PurposeTarget | null;
  readonly settlements: readonly Settlement[];
}

/** What became of a set of settlements: written, or not because another worker holds the chunk. */
export interface SettleResult {
  readonly chunk: 'open' | 'completed' | 'lost';
  /** Refusals of tokens that their devices had changed, or confirmed, since. */
  readonly refuted: number;
}

/**
 * Writes what happened to some deliveries of a leased chunk: ledger, counters, retries and the
 * registry's share, in one transaction that first checks the lease. A worker that was frozen past
 * its lease writes nothing; its successor has taken over.
 *
 * Everybody who needs several of these locks takes them in this order: the chunks, the minutes of
 * hosts, installations, tokens for purposes, acceptances, the ledger, counters, tickets, the
 * notifications, and several of a kind by their references. What is offered again belongs to other
 * notifications, whose ledger, counters and rows come after the counters of this one. Two
 * settlements may meet in that, and PostgreSQL has one of them run again.
 *
 * Whoever holds one of them for long, a frozen worker above all, must not make this one hold the
 * others for as long. It lets go of them and comes again, until it has written or lost its lease.
 */
export async function settle(
  db: Database,
  part: ChunkSettlements,
  now: Date,
): Promise<SettleResult> {
  for (;;) {
    try {
      const [result] = await inTransaction(db, (tx) => writeSettlements(tx, [part], now), {
        lockTimeoutMs: LIMITS.settleLockTimeoutMs,
      });
      assert(result !== undefined, 'each part has a result');
      return result;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      // No heartbeat reached the chunk while it was locked from here.
      await heartbeat(db, [part.chunk], LIMITS.leaseMs);
    }
  }
}

/**
 * Whether it can be settled with others: all of it was taken at the first attempt, so that nothing
 * is locked but what is its own, and nothing can be written twice.
 */
export function isSettledAlike({ purpose, settlements }: ChunkSettlements): boolean {
  return (
    purpose === null &&
    settlements.length <= LIMITS.roundDeliveries &&
    settlements.every((one) => isPlainAcceptance(one) && !changesToken(one))
  );
}

/**
 * The same for different chunks in one transaction, all or nothing; the results in their order. All
 * of them are `isSettledAlike`. Throws where one of them has to wait for a lock, or lost a race:
 * none is to wait for another's.
 */
export async function settleTogether(
  db: Database,
  parts: readonly ChunkSettlements[],
  now: Date,
): Promise<readonly SettleResult[]> {
  const options = { lockTimeoutMs: LIMITS.roundLockTimeoutMs, attempts: 1 };
  return inTransaction(db, (tx) => writeSettlements(tx, parts, now), options);
}

async function writeSettlements(
  tx: Transaction,
  parts: readonly ChunkSettlements[],
  now: Date,
): Promise<readonly SettleResult[]> {
  const held = await fenceChunks(
    tx,
    parts.map(({ chunk }) => chunk),
  );
  const ours = parts.filter(({ chunk }) => held.has(chunk));
  const movedOn = await tellRegistry(tx, ours, now);
  const entries = ours.map(({ chunk, settlements }) => ({ place: chunk, settlements }));
  await recordDeliveries(tx, entries, now);
  for (const { chunk, settlements } of ours) await insertTickets(tx, chunk, settlements);
  await reofferDead(tx, [...movedOn.values()].flat(), now);
  const progress = ours.map(({ chunk, settlements }) => ({ chunk, count: settlements.length }));
  const completed = await countSettled(tx, progress);
  const done = ours.filter(({ chunk }) => completed.has(chunk.ref));
  await finishIfDone(tx, [...new Set(done.map(({ chunk }) => chunk.notificationRef))], now);
  return parts.map(({ chunk }) => ({
    chunk: resultOf(chunk, held, completed),
    refuted: movedOn.get(chunk)?.length ?? 0,
  }));
}

/**
 * What the providers said of hosts and tokens; returns, by chunk, the installations that had
 * another token by the time their former one was refused.
 */
async function tellRegistry(
  tx: Transaction,
  parts: readonly ChunkSettlements[],
  now: Date,
): Promise<ReadonlyMap<LeasedChunk, readonly number[]>> {
  const frozen = new Map<number, ReadonlySet<string>>();
  const [alerts, others] = dividedByPurpose(parts);
  for (const answers of byCredential(alerts)) {
    frozen.set(answers.credentialRef, await watchAnswers(tx, answers, now));
  }
  const movedOn = new Map<LeasedChunk, readonly number[]>();
  for (const { chunk, settlements } of alerts) {
    const hosts = frozen.get(chunk.credentialRef ?? 0) ?? new Set<string>();
    const moved = await changeTokens(tx, chunk.appRef, settlements, hosts, now);
    if (moved.length > 0) movedOn.set(chunk, moved);
  }
  for (const { chunk, purpose, settlements } of others) {
    await changePurposeTokens(tx, { appRef: chunk.appRef, purpose }, settlements, now);
  }
  await noteAccepted(
    tx,
    parts.flatMap(({ settlements }) => settlements),
    now,
  );
  return movedOn;
}

type ForPurpose = ChunkSettlements & { readonly purpose: PurposeTarget };

function dividedByPurpose(
  parts: readonly ChunkSettlements[],
): readonly [readonly ChunkSettlements[], readonly ForPurpose[]] {
  return [
    parts.filter(({ purpose }) => purpose === null),
    parts.filter((part): part is ForPurpose => part.purpose !== null),
  ];
}

/** In one order for everybody, because the minutes of hosts are held until the commit. */
function byCredential(parts: readonly ChunkSettlements[]) {
  const groups = Map.groupBy(parts, ({ chunk }) => {
    assert(chunk.credentialRef !== null, 'only a resolved chunk is settled');
    return chunk.credentialRef;
  });
  return [...groups]
    .map(([credentialRef, group]) => ({
      credentialRef,
      appRef: group[0]?.chunk.appRef ?? 0,
      settlements: group.flatMap(({ settlements }) => settlements),
    }))
    .toSorted((a, b) => a.credentialRef - b.credentialRef);
}

function resultOf(
  chunk: LeasedChunk,
  held: ReadonlySet<LeasedChunk>,
  completed: ReadonlySet<number>,
): SettleResult['chunk'] {
  if (!held.has(chunk)) return 'lost';
  return completed.has(chunk.ref) ? 'completed' : 'open';
}
