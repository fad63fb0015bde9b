import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import { settleReceipts, type HeardReceipt, type OfferAgain } from '../feedback/settle-receipts.ts';
import type { ReceiptsAnswer } from '../providers/provider.ts';
import type { Database } from '../store/sql.ts';
import { postponeTickets, type LeasedTicket } from '../store/tickets.ts';
import { withFullJitter } from './backoff.ts';
import type { Lane } from './lane.ts';
import type { DispatcherMetrics } from './metrics.ts';

export interface ReceiptRunDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: DispatcherMetrics;
  readonly signal: AbortSignal;
}

/**
 * Asks once for the receipts of some leased tickets, all of one credential, and acts on what is
 * said. What is not known yet is asked for again when twice as much time has passed since the push:
 * after 15 minutes, half an hour, an hour, and so on until the provider forgets it.
 *
 * `lane` is null where nothing serves the credential any more; it may again, until then.
 */
export async function runReceipts(
  deps: ReceiptRunDependencies,
  tickets: readonly LeasedTicket[],
  lane: Lane | null,
): Promise<void> {
  const { db, clock, signal } = deps;
  if (lane === null) return postponeTickets(db, putOff(tickets, clock()));
  const answer = await ask(lane, tickets, deps);
  const now = clock();
  if (answer === null) {
    const dueAt = lane.pausedUntil(now) ?? new Date(now.getTime() + LIMITS.receiptRetryMs);
    return postponeTickets(db, postponedTo(tickets, dueAt));
  }
  if (answer.kind === 'refused') {
    // Nobody asked, where this process stops: another one does at once.
    const waitMs = signal.aborted ? 0 : waitAfter(answer.outcome);
    await stopIfRefused(lane, [answer.outcome], now);
    return postponeTickets(db, postponedTo(tickets, new Date(now.getTime() + waitMs)));
  }
  await act(deps, lane, tickets, answer.outcomes, now);
}

/** Null while the lane cannot be used. */
async function ask(
  lane: Lane,
  tickets: readonly LeasedTicket[],
  { clock, signal }: ReceiptRunDependencies,
): Promise<ReceiptsAnswer | null> {
  const { receipts } = lane.provider;
  if (receipts === undefined || lane.pausedUntil(clock()) !== null) return null;
  if ((await lane.provider.prepare(signal)) !== null) return null;
  const ids = tickets.map(({ receiptId }) => receiptId);
  return receipts.fetch(ids, signal);
}

async function act(
  { db, random, metrics }: ReceiptRunDependencies,
  lane: Lane,
  tickets: readonly LeasedTicket[],
  outcomes: ReadonlyMap<string, Outcome>,
  now: Date,
): Promise<void> {
  const heard: HeardReceipt[] = [];
  const missing: LeasedTicket[] = [];
  for (const ticket of tickets) {
    const outcome = outcomes.get(ticket.receiptId);
    if (outcome === undefined || outcome.kind === 'not_started') missing.push(ticket);
    else heard.push({ ticket, outcome });
  }
  await postponeTickets(db, putOff(missing, now));
  if (heard.length === 0) return;
  const refuted = await settleReceipts(db, heard, offerAgain(lane, now, random), now);
  if (refuted > 0) metrics.refuted(refuted);
  for (const { outcome } of heard) metrics.receipt(lane.name, outcome.kind);
  const kinds = heard.map(({ outcome }) => outcome);
  if (kinds.some(({ kind }) => kind === 'accepted')) lane.confirmed(now);
  await stopIfRefused(lane, kinds, now);
  await lane.recorded();
}

/** Only what was too much for one device is worth another try; all else would end the same way. */
function offerAgain(lane: Lane, now: Date, random: () => number): OfferAgain {
  return ({ outcome }, { attempts, firstSentAt, expiresAt, isCancelled }) => {
    if (outcome.kind !== 'throttled' || isCancelled) return null;
    const sinceFirstAttemptMs = now.getTime() - firstSentAt.getTime();
    const delayMs = retryDelayMs(lane.policy, outcome, { attempts, sinceFirstAttemptMs });
    if (delayMs === null) return null;
    const dueAt = new Date(now.getTime() + withFullJitter(delayMs, random));
    return dueAt < expiresAt ? dueAt : null;
  };
}

async function stopIfRefused(lane: Lane, outcomes: readonly Outcome[], now: Date): Promise<void> {
  const refusal = outcomes.find(({ kind }) => kind === 'auth');
  if (refusal !== undefined) await lane.close(refusal, now);
}

function waitAfter(outcome: Outcome): number {
  const told = 'retryAfterMs' in outcome ? outcome.retryAfterMs : null;
  return told ?? LIMITS.receiptRetryMs;
}

function postponedTo(tickets: readonly LeasedTicket[], dueAt: Date) {
  return tickets.map((ticket) => ({ ticket, dueAt }));
}

/**
 * Until their pushes are twice as old as they are now; the last time shortly before the provider
 * forgets them.
 */
function putOff(tickets: readonly LeasedTicket[], now: Date) {
  return tickets.map((ticket) => {
    const doubled = 2 * now.getTime() - ticket.sentAt.getTime();
    const last = ticket.endsAt.getTime() - LIMITS.receiptLastAskMs;
    const dueAt = new Date(last > now.getTime() ? Math.min(doubled, last) : doubled);
    return { ticket, dueAt };
  });
}
