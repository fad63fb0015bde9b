import { LIMITS } from '../domain/limits.ts';
import type { Outcome } from '../domain/outcome.ts';
import { tokenFactOf, UNATTEMPTED, type Settlement } from '../domain/settlement.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { reofferDead, reopenNotifications } from '../store/reoffer.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { closeTickets, lockAcceptedDeliveries } from '../store/tickets.ts';
import type { AcceptedDelivery, LeasedTicket } from '../store/tickets.ts';
import { inTransaction } from '../store/transaction.ts';
import { watchAnswers } from './mass-death.ts';
import { changeTokens } from './token-facts.ts';

/** What a provider said, long after it had taken a push. */
export interface HeardReceipt {
  readonly ticket: LeasedTicket;
  readonly outcome: Exclude<Outcome, { readonly kind: 'not_started' }>;
}

/** When a push that was not passed on is offered again; null when that is final. */
export type OfferAgain = (heard: HeardReceipt, delivery: AcceptedDelivery) => Date | null;

/**
 * Corrects what the ledger, the reports and the registry hold of pushes that their provider took
 * and could not pass on: each once, whoever else asked for the same receipt. All of one credential.
 * Returns how many refusals of tokens their devices had refuted by then.
 *
 * A receipt counts among the answers of a host of its own. Its provider takes nearly everything at
 * first, so that a mass death would never be seen beside what it takes.
 *
 * Locks are taken in the order of `settle`, the tickets in the place of the chunk.
 */
export async function settleReceipts(
  db: Database,
  receipts: readonly HeardReceipt[],
  offerAgain: OfferAgain,
  now: Date,
): Promise<number> {
  const write = (tx: Transaction) => writeReceipts(tx, receipts, offerAgain, now);
  return inTransaction(db, write, { lockTimeoutMs: LIMITS.settleLockTimeoutMs });
}

async function writeReceipts(
  tx: Transaction,
  receipts: readonly HeardReceipt[],
  offerAgain: OfferAgain,
  now: Date,
): Promise<number> {
  const tickets = receipts.map(({ ticket }) => ticket);
  const closed = await closeTickets(tx, tickets);
  const heard = receipts.filter(({ ticket }) => closed.has(ticket.ref));
  const [first] = heard;
  if (first === undefined) return 0;
  const { appRef, credentialRef } = first.ticket;
  const answers = heard.map((one) => toAnswer(one, now));
  const frozen = await watchAnswers(tx, { appRef, credentialRef, settlements: answers }, now);
  const refusals = answers.filter(({ state }) => state !== 'accepted');
  const movedOn = await changeTokens(tx, appRef, refusals, frozen, now);
  await correctLedger(tx, heard, offerAgain, now);
  await reofferDead(tx, movedOn, now);
  return movedOn.length;
}

/** What the receipt says of the token; the ledger's own settlement follows from its row. */
function toAnswer({ ticket, outcome }: HeardReceipt, now: Date): Settlement {
  const { installationRef, userRef, holderVersion, sentAt } = ticket;
  return {
    ...UNATTEMPTED,
    installationRef,
    userRef,
    holderVersion,
    sentAt,
    heardAt: now,
    state: outcome.kind === 'accepted' ? 'accepted' : 'failed',
    reason: outcome.kind === 'accepted' ? '' : outcome.kind,
    tokenFact: tokenFactOf(outcome, false),
    host: `${ticket.host}/receipts`,
  };
}

/** Only what is still accepted as that very push: a later attempt has a receipt of its own. */
async function correctLedger(
  tx: Transaction,
  heard: readonly HeardReceipt[],
  offerAgain: OfferAgain,
  now: Date,
): Promise<void> {
  const refused = new Map(
    heard.flatMap((one) => (one.outcome.kind === 'accepted' ? [] : [[one.ticket.ref, one]])),
  );
  const tickets = [...refused.values()].map(({ ticket }) => ticket);
  const deliveries = await lockAcceptedDeliveries(tx, tickets);
  const reopened: number[] = [];
  const groups = Map.groupBy(deliveries, ({ notificationRef }) => notificationRef);
  for (const [notificationRef, group] of groups) {
    const settlements = group.flatMap((delivery) => {
      const one = refused.get(delivery.ticketRef);
      return one === undefined ? [] : [toSettlement(one, delivery, offerAgain(one, delivery))];
    });
    const [place] = group;
    if (place === undefined) continue;
    await recordDeliveries(tx, [{ place, settlements }], now);
    if (settlements.some(({ dueAt }) => dueAt !== null)) reopened.push(notificationRef);
  }
  if (reopened.length > 0) await reopenNotifications(tx, reopened);
}

function toSettlement(
  { ticket, outcome }: HeardReceipt,
  delivery: AcceptedDelivery,
  dueAt: Date | null,
): Settlement {
  const { installationRef, userRef, holderVersion, receiptId, sentAt } = ticket;
  return {
    ...UNATTEMPTED,
    installationRef,
    userRef,
    holderVersion,
    sentAt,
    state: dueAt === null ? 'failed' : 'retrying',
    reason: outcome.kind,
    code: outcome.kind === 'accepted' ? null : outcome.code,
    provider: delivery.provider,
    providerId: receiptId,
    attempts: delivery.attempts,
    possibleDuplicate: delivery.possibleDuplicate,
    firstSentAt: delivery.firstSentAt,
    dueAt,
    previous: { state: 'accepted', reason: '' },
  };
}
