import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import {
  addFindings,
  reviewTotals,
  type Review,
  type ReviewDecision,
  type ReviewTotals,
} from '../domain/review.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import { tryLock } from '../store/advisory-lock.ts';
import { appsToReview } from '../store/apps.ts';
import { appendEvents } from '../store/events.ts';
import {
  countSlice,
  lockPurgeable,
  makeDormant,
  purgeInstallations,
  type ReviewSlice,
} from '../store/review-slices.ts';
import {
  beginReview,
  listReviews,
  lockOpenReviews,
  lockReview,
  lockReviewUnderWay,
  reviewsUnderWay,
  saveReview,
  startApplying,
} from '../store/reviews.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { allowScans, inTransaction } from '../store/transaction.ts';
import { auditWrite } from './audit-write.ts';
import { keyHintOf, type RegistryContext } from './caller.ts';

const DAY_MS = 86_400_000;
/** Who applied a review that nobody decided about. */
const POLICY = 'policy';

/** Begins the monthly review of every app that is due; one process at a time. */
export async function beginDueReviews(db: Database, now: Date): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (!(await tryLock(tx, { purpose: 'maintenance', name: 'reviews' }))) return;
    const due = await appsToReview(tx, new Date(now.getTime() - LIMITS.reviewDays * DAY_MS));
    for (const app of due) await beginReview(tx, app, now);
  });
}

/** Begins one now; the one that is under way already where there is one. */
export async function requestReview(tx: Transaction, context: RegistryContext): Promise<Review> {
  const review = await beginReview(tx, context.app, context.now);
  const subject = `review/${review.ref}`;
  await auditWrite(tx, context, { action: 'review.begin', subject, before: null, after: null });
  return review;
}

/** The counts that somebody saw and agrees to; null for the half that is not to be done. */
export interface ConfirmedCounts {
  readonly dormant: number | null;
  readonly purge: number | null;
}

export type ApplyResult =
  | { readonly kind: 'applying'; readonly review: Review }
  | { readonly kind: 'not_found' }
  /** Nothing was done; the review is the newest one, with what is true now. */
  | { readonly kind: 'changed'; readonly review: Review };

/**
 * Lets a review be applied by somebody who repeats the counts that they saw. A repetition of the
 * same agreement changes nothing.
 */
export async function applyReview(
  tx: Transaction,
  context: RegistryContext,
  id: string,
  confirmed: ConfirmedCounts,
): Promise<ApplyResult> {
  const review = await lockReview(tx, context.app.ref, id);
  if (review === null) return { kind: 'not_found' };
  const decision = { makesDormant: confirmed.dormant !== null, purges: confirmed.purge !== null };
  const agrees = isAgreed(confirmed, reviewTotals(review.findings));
  if (agrees && isDecidedAs(review, decision)) return { kind: 'applying', review };
  if (!agrees || review.state !== 'open') {
    const [newest = review] = await listReviews(tx, context.app.ref, 1);
    return { kind: 'changed', review: newest };
  }
  const by = keyHintOf(context.caller) ?? POLICY;
  const applying = await startApplying(tx, review, decision, by, context.now);
  await auditWrite(tx, context, {
    action: 'review.apply',
    subject: `review/${review.ref}`,
    before: null,
    after: confirmed,
  });
  return { kind: 'applying', review: applying };
}

function isAgreed(confirmed: ConfirmedCounts, totals: ReviewTotals): boolean {
  return (
    (confirmed.dormant === null || confirmed.dormant === totals.dormant) &&
    (confirmed.purge === null || confirmed.purge === totals.purge)
  );
}

function isDecidedAs(review: Review, decision: ReviewDecision): boolean {
  const isDecided = review.state === 'applying' || review.state === 'applied';
  const { makesDormant, purges } = review.decision;
  return isDecided && makesDormant === decision.makesDormant && purges === decision.purges;
}

/** Lets policies apply the reviews that have waited for a person long enough. */
export async function decideByPolicy(db: Database, now: Date): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (const { review, policyNow } of await lockOpenReviews(tx)) {
      const dueAt = review.createdAt.getTime() + policyNow.applyAfterDays * DAY_MS;
      if (policyNow.apply === 'manual' || dueAt > now.getTime()) continue;
      const decision = { makesDormant: true, purges: policyNow.purge === 'automatic' };
      await startApplying(tx, review, decision, POLICY, now);
    }
  });
}

export interface ReviewWork {
  readonly db: Database;
  readonly clock: Clock;
  /** Aborts when the process stops; a review is left where it is then. */
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/**
 * Takes the reviews that are under way to the end of their phase, slice by slice, each slice in a
 * transaction of its own with the mark of how far that was: whoever comes after a crash goes on
 * there. A review that another process has in its hands is left to it, and one that fails is
 * reported and does not hold up those of other apps.
 */
export async function advanceReviews({ db, clock, signal, onError }: ReviewWork): Promise<void> {
  for (const ref of await reviewsUnderWay(db)) {
    try {
      let isUnderWay = true;
      while (isUnderWay && !signal.aborted) {
        isUnderWay = await inTransaction(db, (tx) => advance(tx, ref, clock()));
      }
    } catch (error) {
      onError(error);
    }
  }
}

/** One slice; false when there is nothing to do. */
async function advance(tx: Transaction, ref: number, now: Date): Promise<boolean> {
  const review = await lockReviewUnderWay(tx, ref);
  if (review === null) return false;
  await allowScans(tx);
  const { throughRef: after, lastRef } = review;
  const through = Math.min(after + LIMITS.reviewSlice, lastRef);
  const slice = { review, after, through };
  const moved = review.state === 'counting' ? await count(tx, slice) : await apply(tx, slice, now);
  const isOver = through === lastRef;
  await saveReview(tx, isOver ? endPhase(moved, now) : moved);
  return true;
}

async function count(tx: Transaction, slice: ReviewSlice): Promise<Review> {
  const findings = addFindings(slice.review.findings, await countSlice(tx, slice));
  return { ...slice.review, throughRef: slice.through, findings };
}

async function apply(tx: Transaction, slice: ReviewSlice, now: Date): Promise<Review> {
  const { review, through } = slice;
  const { makesDormant, purges } = review.decision;
  // What goes altogether needs not become dormant first.
  const purged = purges ? await purge(tx, slice, now) : 0;
  const dormant = makesDormant ? await makeDormant(tx, slice, now) : [];
  await tell(tx, review, 'installation.dormant', dormant, now);
  return {
    ...review,
    throughRef: through,
    madeDormant: review.madeDormant + dormant.length,
    purged: review.purged + purged,
  };
}

async function purge(tx: Transaction, slice: ReviewSlice, now: Date): Promise<number> {
  const found = await lockPurgeable(tx, slice);
  // Of a removed one everybody was told when it was removed.
  const news = found.filter(({ reason }) => reason !== 'removed').map(({ ref }) => ref);
  await tell(tx, slice.review, 'installation.removed', news, now);
  await purgeInstallations(
    tx,
    found.map(({ ref }) => ref),
  );
  return found.length;
}

async function tell(
  tx: Transaction,
  review: Review,
  kind: 'installation.dormant' | 'installation.removed',
  refs: readonly number[],
  now: Date,
): Promise<void> {
  const source = review.appliedBy === POLICY ? 'policy' : 'server_key';
  const cause = formatTypedId('rev', review.id);
  await appendEvents(
    tx,
    { appRef: review.appRef, at: now, source, requestId: null },
    refs.map((installationRef) => ({ installationRef, kind, cause })),
  );
}

function endPhase(review: Review, now: Date): Review {
  return review.state === 'counting'
    ? { ...review, state: 'open' }
    : { ...review, state: 'applied', finishedAt: now };
}
