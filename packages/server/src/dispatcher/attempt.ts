import type { ProviderName } from '../domain/address.ts';
import type { GateRow } from '../domain/gate.ts';
import { mayHaveBeenTaken, type Outcome } from '../domain/outcome.ts';
import { retryDelayMs, type RetryPolicy } from '../domain/retry-policy.ts';
import { providerHost } from '../domain/provider-host.ts';
import { tokenFactOf, UNATTEMPTED, type Settlement } from '../domain/settlement.ts';
import type { DeliveryState, SkipReason } from '../domain/delivery.ts';
import type { ReceiptTimes } from '../providers/provider.ts';
import { withFullJitter } from './backoff.ts';

/** One push that was offered, with what is needed to settle it. */
export interface Attempt {
  readonly row: GateRow;
  readonly provider: ProviderName;
  readonly outcome: Exclude<Outcome, { readonly kind: 'not_started' }>;
  /** True when a predecessor, or an earlier attempt, may have sent it already. */
  readonly mayRepeat: boolean;
  readonly sentAt: Date;
  readonly answeredAt: Date;
  readonly expiresAt: Date;
  /** When the provider says more of what it accepted; null where it never does. */
  readonly receipts: ReceiptTimes | null;
}

/** What an attempt makes of its delivery: final, or one more try before the expiry. */
export function settleAttempt(
  attempt: Attempt,
  policy: RetryPolicy,
  random: () => number,
): Settlement {
  const { row, outcome, answeredAt } = attempt;
  const attempts = row.attempts + 1;
  const firstSentAt = row.firstSentAt ?? attempt.sentAt;
  const delayMs = retryDelayMs(policy, outcome, {
    attempts,
    sinceFirstAttemptMs: answeredAt.getTime() - firstSentAt.getTime(),
  });
  const doubtedUntil = doubtOf(attempt, policy, random);
  const dueAt =
    doubtedUntil ?? (delayMs === null ? null : dueTime(outcome, delayMs, answeredAt, random));
  const retries = dueAt !== null && dueAt < attempt.expiresAt;
  return {
    ...unsettled(row),
    state: retries ? 'retrying' : finalState(outcome, dueAt),
    reason: outcome.kind === 'accepted' ? '' : outcome.kind,
    code: outcome.kind === 'accepted' ? null : outcome.code,
    provider: attempt.provider,
    providerId: outcome.kind === 'accepted' ? outcome.providerId : null,
    attempts,
    // Once a push may have been taken, whatever follows may be a repeat.
    possibleDuplicate: attempt.mayRepeat || (retries && mayHaveBeenTaken(outcome)),
    firstSentAt,
    sentAt: attempt.sentAt,
    dueAt: retries ? dueAt : null,
    tokenFact: doubtedUntil === null ? tokenFactOf(outcome, row.isFailing) : null,
    receipt: receiptOf(attempt),
    host: hostOf(attempt),
  };
}

function receiptOf({ outcome, receipts, sentAt }: Attempt): Settlement['receipt'] {
  // Without an id there is nothing to ask by.
  if (outcome.kind !== 'accepted' || outcome.providerId === '' || receipts === null) return null;
  const after = (ms: number): Date => new Date(sentAt.getTime() + ms);
  return { dueAt: after(receipts.afterMs), endsAt: after(receipts.untilMs) };
}

/** A delivery that ends, or waits, without an attempt. */
export function settleWithoutAttempt(
  row: GateRow,
  end:
    | { readonly state: 'skipped'; readonly reason: SkipReason }
    | { readonly state: 'expired' }
    | { readonly state: 'retrying'; readonly dueAt: Date },
): Settlement {
  return {
    ...unsettled(row),
    state: end.state,
    reason: end.state === 'skipped' ? end.reason : '',
    dueAt: end.state === 'retrying' ? end.dueAt : null,
  };
}

function unsettled(row: GateRow): Omit<Settlement, 'state' | 'reason'> {
  return {
    ...UNATTEMPTED,
    installationRef: row.installationRef,
    userRef: row.userRef,
    holderVersion: row.holderVersion,
    attempts: row.attempts,
    possibleDuplicate: row.possibleDuplicate,
    firstSentAt: row.firstSentAt,
    previous:
      row.settledState === null ? null : { state: row.settledState, reason: row.settledReason },
  };
}

function hostOf({ row: { address }, outcome }: Attempt): string | null {
  const isAnswered = outcome.kind === 'accepted' || outcome.status !== null;
  return isAnswered && address !== null ? providerHost(address) : null;
}

/**
 * When a young token that was called dead is asked once more; null when its death is believed. What
 * this delivery was told once before, it is not told by mistake.
 */
function doubtOf(
  { row, outcome, sentAt, answeredAt }: Attempt,
  { doubtedDeath }: RetryPolicy,
  random: () => number,
): Date | null {
  const { tokenChangedAt, settledState, settledReason, firstSentAt } = row;
  if (doubtedDeath === undefined || outcome.kind !== 'token_dead' || outcome.status === null) {
    return null;
  }
  if (tokenChangedAt === null) return null;
  // What was offered to a former token, and is offered again, has not asked this one yet.
  const wasAsked = firstSentAt !== null && firstSentAt >= tokenChangedAt;
  const wasDoubted = settledState === 'retrying' && settledReason === outcome.kind;
  if (wasDoubted && wasAsked) return null;
  const { youngerThanMs, delayMs } = doubtedDeath;
  const isYoung = sentAt.getTime() - tokenChangedAt.getTime() < youngerThanMs;
  return isYoung ? new Date(answeredAt.getTime() + delayMs * (1 + random())) : null;
}

/** A provider's own word on when to come back is kept exactly; our own delays are jittered. */
function dueTime(
  outcome: Attempt['outcome'],
  delayMs: number,
  answeredAt: Date,
  random: () => number,
): Date {
  const told = 'retryAfterMs' in outcome && outcome.retryAfterMs !== null;
  return new Date(answeredAt.getTime() + (told ? delayMs : withFullJitter(delayMs, random)));
}

function finalState(outcome: Attempt['outcome'], dueAt: Date | null): DeliveryState {
  if (outcome.kind === 'accepted') return 'accepted';
  // It would have been tried again, had there been time.
  if (dueAt !== null && outcome.kind !== 'unknown') return 'expired';
  return outcome.kind === 'unknown' ? 'unknown' : 'failed';
}
