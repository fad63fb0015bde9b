import { randomUUID } from 'node:crypto';
import {
  fromDormancyPolicy,
  toDormancyPolicy,
  type DormancyInput,
  type DormancyPolicy,
} from '../domain/dormancy.ts';
import type { Review, ReviewDecision, ReviewFindings, ReviewState } from '../domain/review.ts';
import type { App } from './apps.ts';
import { json, type Queryable, type Transaction } from './sql.ts';

interface ReviewRow {
  readonly review_ref: number;
  readonly app_ref: number;
  readonly id: string;
  readonly state: ReviewState;
  readonly created_at: Date;
  readonly policy: DormancyInput;
  readonly through_ref: number;
  readonly last_ref: number;
  readonly platforms: ReviewFindings;
  readonly applied_by: string | null;
  readonly applied_at: Date | null;
  readonly makes_dormant: boolean;
  readonly purges: boolean;
  readonly made_dormant: number;
  readonly purged: number;
  readonly finished_at: Date | null;
}

/**
 * Begins a review of everything that the app has at this moment, under the policy of this moment;
 * older ones that wait for a decision are superseded. While one is under way there is no second
 * one, and that one is returned.
 */
export async function beginReview(tx: Transaction, app: App, now: Date): Promise<Review> {
  for (;;) {
    // One that is met here may end before it is read; then nothing is in the way of a new one.
    const review = (await tryBegin(tx, app, now)) ?? (await underWay(tx, app.ref));
    if (review !== null) return review;
  }
}

/** Null when the app has a review under way. */
async function tryBegin(tx: Transaction, app: App, now: Date): Promise<Review | null> {
  const policy = json(fromDormancyPolicy(app.dormancy));
  const [begun] = await tx<ReviewRow[]>`
    insert into review (app_ref, id, state, created_at, policy, last_ref)
    select ${app.ref}, ${randomUUID()}, 'counting', ${now}, ${policy},
      coalesce(max(installation_ref), 0) from installation
    on conflict (app_ref) where state in ('counting', 'applying') do nothing
    returning *`;
  if (begun === undefined) return null;
  await tx`
    update review set state = 'superseded'
    where app_ref = ${app.ref} and state = 'open' and review_ref < ${begun.review_ref}`;
  return toReview(begun);
}

async function underWay(tx: Transaction, appRef: number): Promise<Review | null> {
  const [row] = await tx<ReviewRow[]>`
    select * from review where app_ref = ${appRef} and state in ('counting', 'applying')`;
  return row === undefined ? null : toReview(row);
}

/** The newest reviews of an app, newest first. */
export async function listReviews(
  db: Queryable,
  appRef: number,
  limit: number,
): Promise<readonly Review[]> {
  const rows = await db<ReviewRow[]>`
    select * from review where app_ref = ${appRef} order by review_ref desc limit ${limit}`;
  return rows.map(toReview);
}

/** Null when the app has no such review. */
export async function findReview(
  db: Queryable,
  appRef: number,
  id: string,
): Promise<Review | null> {
  const [row] = await db<ReviewRow[]>`
    select * from review where app_ref = ${appRef} and id = ${id}`;
  return row === undefined ? null : toReview(row);
}

/** The same under its lock, until the transaction ends. */
export async function lockReview(
  tx: Transaction,
  appRef: number,
  id: string,
): Promise<Review | null> {
  const [row] = await tx<ReviewRow[]>`
    select * from review where app_ref = ${appRef} and id = ${id} for update`;
  return row === undefined ? null : toReview(row);
}

/** The reviews that are being counted or applied, by reference, the oldest first. */
export async function reviewsUnderWay(db: Queryable): Promise<readonly number[]> {
  const rows = await db<{ review_ref: number }[]>`
    select review_ref from review where state in ('counting', 'applying') order by review_ref`;
  return rows.map((row) => row.review_ref);
}

/** Null when the review is not under way any more, or another process has it in its hands. */
export async function lockReviewUnderWay(tx: Transaction, ref: number): Promise<Review | null> {
  const [row] = await tx<ReviewRow[]>`
    select * from review where review_ref = ${ref} and state in ('counting', 'applying')
    for update skip locked`;
  return row === undefined ? null : toReview(row);
}

/** An open review with what its app's policy says today. */
export interface OpenReview {
  readonly review: Review;
  readonly policyNow: DormancyPolicy;
}

/** The reviews that wait for a decision, under their locks. */
export async function lockOpenReviews(tx: Transaction): Promise<readonly OpenReview[]> {
  const rows = await tx<(ReviewRow & { readonly policy_now: DormancyInput })[]>`
    select r.*, a.dormancy as policy_now from review r join app a using (app_ref)
    where r.state = 'open'
    order by r.review_ref
    for update of r skip locked`;
  return rows.map((row) => ({
    review: toReview(row),
    policyNow: toDormancyPolicy(row.policy_now),
  }));
}

/** Lets the applying of an open review begin. */
export async function startApplying(
  tx: Transaction,
  review: Review,
  decision: ReviewDecision,
  by: string,
  now: Date,
): Promise<Review> {
  const [row] = await tx<ReviewRow[]>`
    update review set state = 'applying', through_ref = 0, applied_by = ${by}, applied_at = ${now},
      makes_dormant = ${decision.makesDormant}, purges = ${decision.purges}
    where review_ref = ${review.ref} and state = 'open'
    returning *`;
  if (row === undefined) throw new Error('only an open review can be applied');
  return toReview(row);
}

/** Notes how far a review has come, and what that gave, in the transaction that did it. */
export async function saveReview(tx: Transaction, review: Review): Promise<void> {
  await tx`
    update review set state = ${review.state}, through_ref = ${review.throughRef},
      platforms = ${json(review.findings)}, made_dormant = ${review.madeDormant},
      purged = ${review.purged}, finished_at = ${review.finishedAt}
    where review_ref = ${review.ref}`;
}

function toReview(row: ReviewRow): Review {
  return {
    ref: row.review_ref,
    appRef: row.app_ref,
    id: row.id,
    state: row.state,
    createdAt: row.created_at,
    policy: toDormancyPolicy(row.policy),
    throughRef: row.through_ref,
    lastRef: row.last_ref,
    findings: row.platforms,
    appliedBy: row.applied_by,
    appliedAt: row.applied_at,
    decision: { makesDormant: row.makes_dormant, purges: row.purges },
    madeDormant: row.made_dormant,
    purged: row.purged,
    finishedAt: row.finished_at,
  };
}
