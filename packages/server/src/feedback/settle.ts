import assert from 'node:assert';
import { tokenFingerprint } from '../domain/address-key.ts';
import type { EventDraft } from '../domain/event.ts';
import type { Settlement, TokenFact } from '../domain/settlement.ts';
import { countSettled, fenceChunk, type LeasedChunk } from '../store/chunks.ts';
import { appendEvents } from '../store/events.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { finishIfDone } from '../store/notifications.ts';
import { reofferDead } from '../store/reoffer.ts';
import type { Database, Transaction } from '../store/sql.ts';
import {
  findMovedOn,
  lockForFeedback,
  quarantineTokens,
  recordAccepted,
  recordFailures,
  retireTokens,
  type ChangedToken,
} from '../store/token-feedback.ts';
import { inTransaction } from '../store/transaction.ts';

/** What became of a set of settlements: written, or not because another worker holds the chunk. */
export type SettleResult = 'open' | 'completed' | 'lost';

/**
 * Writes what happened to some deliveries of a leased chunk: ledger, counters, retries and the
 * registry's share, in one transaction that first checks the lease. A worker that was frozen past
 * its lease writes nothing; its successor has taken over.
 */
export async function settle(
  db: Database,
  chunk: LeasedChunk,
  settlements: readonly Settlement[],
  now: Date,
): Promise<SettleResult> {
  return inTransaction(db, async (tx) => {
    if (!(await fenceChunk(tx, chunk))) return 'lost';
    // Installations before the ledger, like everybody who needs the locks of both.
    const movedOn = await applyFeedback(tx, chunk.appRef, settlements, now);
    await recordDeliveries(tx, chunk, settlements, now);
    await reofferDead(tx, movedOn, now);
    const progress = await countSettled(tx, chunk, settlements.length);
    if (progress === 'completed') await finishIfDone(tx, chunk.notificationRef, now);
    return progress;
  });
}

/**
 * Tells the registry what the provider said about tokens (rule R8: compare-and-set). Returns the
 * installations that had another token by the time their former one was refused.
 */
async function applyFeedback(
  tx: Transaction,
  appRef: number,
  settlements: readonly Settlement[],
  now: Date,
): Promise<readonly number[]> {
  const facts = settlements.filter((one) => one.tokenFact !== null);
  if (facts.length === 0) return [];
  await lockForFeedback(
    tx,
    facts.map((one) => one.installationRef),
  );
  const [dead, mismatched] = [factsOf(facts, 'dead'), factsOf(facts, 'mismatch')];
  const retired = await retireTokens(tx, dead.map(toDeadToken), now);
  const quarantined = await quarantineTokens(tx, mismatched.map(toFailed), now);
  const failed = factsOf(facts, 'failure');
  if (failed.length > 0) await recordFailures(tx, failed.map(toFailed), now);
  const accepted = factsOf(facts, 'accepted').map((one) => one.installationRef);
  if (accepted.length > 0) await recordAccepted(tx, accepted, now.toISOString().slice(0, 10));
  const events = [...retired, ...quarantined].map(toEvent);
  await appendEvents(tx, { appRef, at: now, source: 'provider', requestId: null }, events);
  return findMovedOn(tx, [...dead, ...mismatched].map(toFailed));
}

type WithFact<K extends TokenFact['kind']> = Settlement & {
  readonly tokenFact: Extract<TokenFact, { kind: K }>;
};

function factsOf<K extends TokenFact['kind']>(
  settlements: readonly Settlement[],
  kind: K,
): readonly WithFact<K>[] {
  return settlements.filter((one): one is WithFact<K> => one.tokenFact?.kind === kind);
}

function toDeadToken(one: WithFact<'dead'>) {
  assert(one.sentAt !== null, 'only an answer makes a fact');
  return { ...toFailed(one), deadSince: one.tokenFact.since ?? one.sentAt, sentAt: one.sentAt };
}

function toFailed(one: WithFact<'dead' | 'mismatch' | 'failure'>) {
  return {
    installationRef: one.installationRef,
    holderVersion: one.holderVersion ?? 0,
    code: one.tokenFact.code,
  };
}

function toEvent(token: ChangedToken): EventDraft {
  return {
    installationRef: token.installationRef,
    kind: `token.${token.status}`,
    oldToken: tokenFingerprint(token.token),
    cause: token.code,
  };
}
