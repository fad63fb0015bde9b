import type { DormancyPolicy } from './dormancy.ts';

/**
 * The life of a review:
 *
 *   counting → open → applying → applied
 *
 * An open one that is followed by a newer one is `superseded`: what it counted is not true any
 * more.
 */
export type ReviewState = 'counting' | 'open' | 'applying' | 'applied' | 'superseded';

/** Why an installation would be purged: each has been so, and silent, for a year. */
export const PURGE_REASONS = ['retired', 'anonymous', 'removed'] as const;
export type PurgeReason = (typeof PURGE_REASONS)[number];

/** What a review found among the installations of one platform; the first five count apart. */
export interface PlatformFindings {
  readonly installations: number;
  /** Past the warning, and neither dormant nor to become so. */
  readonly silent: number;
  /** Would become dormant. */
  readonly dormant: number;
  /** How many of those a provider still accepted a push for after the last contact. */
  readonly dormantAccepting: number;
  readonly alreadyDormant: number;
  readonly purge: Readonly<Record<PurgeReason, number>>;
  /** Ids of some of each. */
  readonly samples: Readonly<Record<'silent' | 'dormant' | 'purge', readonly string[]>>;
}

/**
 * The platforms that a review counts apart, beside those that the app's policy names. What else
 * clients call theirs is `other`: there is no end to it.
 */
export const COUNTED_PLATFORMS = [
  'ios',
  'ipados',
  'macos',
  'watchos',
  'tvos',
  'visionos',
  'android',
  'harmonyos',
  'web',
  'windows',
  'linux',
  'chromeos',
  'unknown',
] as const;

/** By platform: one of `COUNTED_PLATFORMS`, one that the policy names, or `other`. */
export type ReviewFindings = Readonly<Record<string, PlatformFindings>>;

/** What applying a review would do, or was confirmed to do. */
export interface ReviewTotals {
  readonly silent: number;
  readonly dormant: number;
  readonly purge: number;
}

/** Which halves of a review are to be done. */
export interface ReviewDecision {
  readonly makesDormant: boolean;
  readonly purges: boolean;
}

export interface Review {
  readonly ref: number;
  readonly appRef: number;
  readonly id: string;
  readonly state: ReviewState;
  /** Everything is counted, and applied, as of this moment. */
  readonly createdAt: Date;
  readonly policy: DormancyPolicy;
  /** How far the counting or the applying has come, up to `lastRef`. */
  readonly throughRef: number;
  readonly lastRef: number;
  readonly findings: ReviewFindings;
  /** The hint of the key that applied it, or `policy`. */
  readonly appliedBy: string | null;
  readonly appliedAt: Date | null;
  readonly decision: ReviewDecision;
  readonly madeDormant: number;
  readonly purged: number;
  readonly finishedAt: Date | null;
}

export const SAMPLES_PER_FINDING = 5;
const PURGE_AFTER_DAYS = 365;
const DAY_MS = 86_400_000;

/** How much of the phase under way is done, in whole percent; 100 when none is. */
export function reviewProgress(review: Review): number {
  if (review.state !== 'counting' && review.state !== 'applying') return 100;
  return review.lastRef === 0 ? 0 : Math.floor((100 * review.throughRef) / review.lastRef);
}

export function reviewTotals(findings: ReviewFindings): ReviewTotals {
  const all = Object.values(findings);
  const sum = (count: (one: PlatformFindings) => number): number =>
    all.reduce((total, one) => total + count(one), 0);
  return {
    silent: sum((one) => one.silent),
    dormant: sum((one) => one.dormant),
    purge: sum(({ purge }) => purge.retired + purge.anonymous + purge.removed),
  };
}

/** The findings of two slices of the same installations. */
export function addFindings(a: ReviewFindings, b: ReviewFindings): ReviewFindings {
  const platforms = new Set([...Object.keys(a), ...Object.keys(b)]);
  const entries = [...platforms].map((platform) => {
    const [one, other] = [findingsOf(a, platform), findingsOf(b, platform)];
    const both = one !== undefined && other !== undefined ? add(one, other) : (one ?? other);
    return [platform, both] as const;
  });
  return Object.fromEntries(entries) as ReviewFindings;
}

/** A platform's name is a client's word, and `constructor` is a word. */
function findingsOf(findings: ReviewFindings, platform: string): PlatformFindings | undefined {
  return Object.hasOwn(findings, platform) ? findings[platform] : undefined;
}

function add(a: PlatformFindings, b: PlatformFindings): PlatformFindings {
  return {
    installations: a.installations + b.installations,
    silent: a.silent + b.silent,
    dormant: a.dormant + b.dormant,
    dormantAccepting: a.dormantAccepting + b.dormantAccepting,
    alreadyDormant: a.alreadyDormant + b.alreadyDormant,
    purge: {
      retired: a.purge.retired + b.purge.retired,
      anonymous: a.purge.anonymous + b.purge.anonymous,
      removed: a.purge.removed + b.purge.removed,
    },
    samples: {
      silent: few(a.samples.silent, b.samples.silent),
      dormant: few(a.samples.dormant, b.samples.dormant),
      purge: few(a.samples.purge, b.samples.purge),
    },
  };
}

function few(ids: readonly string[], more: readonly string[]): readonly string[] {
  return [...ids, ...more].slice(0, SAMPLES_PER_FINDING);
}

/** The moments before which the last contact has to lie. */
export interface SilenceCutoffs {
  /** Null for every platform that has no row of its own. */
  readonly platform: string | null;
  readonly warnBefore: Date;
  readonly dormantBefore: Date;
  readonly unlessAccepted: boolean;
}

/** The policy's days as moments; they count back from the review, not from when it is applied. */
export function silenceCutoffs(policy: DormancyPolicy, asOf: Date): readonly SilenceCutoffs[] {
  const platforms = Object.entries(policy.platforms);
  return [...platforms, [null, policy.fallback] as const].map(([platform, thresholds]) => ({
    platform,
    warnBefore: daysBefore(asOf, thresholds.warnDays),
    dormantBefore: daysBefore(asOf, thresholds.dormantDays),
    unlessAccepted: thresholds.unlessAccepted,
  }));
}

/** Whoever was heard of after this is not purged. */
export function purgeCutoff(asOf: Date): Date {
  return daysBefore(asOf, PURGE_AFTER_DAYS);
}

function daysBefore(date: Date, days: number): Date {
  return new Date(date.getTime() - days * DAY_MS);
}
