import type { Review as ReviewBody } from '@homing/protocol';
import { fromDormancyPolicy } from '../domain/dormancy.ts';
import {
  reviewProgress,
  reviewTotals,
  type PlatformFindings,
  type Review,
} from '../domain/review.ts';
import { formatTypedId } from '../domain/typed-id.ts';

export function renderReview(review: Review): ReviewBody {
  const platforms = Object.entries(review.findings).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    id: formatTypedId('rev', review.id),
    state: review.state,
    progress: reviewProgress(review),
    created_at: review.createdAt.toISOString(),
    totals: reviewTotals(review.findings),
    platforms: Object.fromEntries(platforms.map(([name, found]) => [name, renderPlatform(found)])),
    policy: fromDormancyPolicy(review.policy),
    applied_by: review.appliedBy,
    applied_at: review.appliedAt?.toISOString() ?? null,
    made_dormant: review.madeDormant,
    purged: review.purged,
    finished_at: review.finishedAt?.toISOString() ?? null,
  };
}

function renderPlatform(found: PlatformFindings): ReviewBody['platforms'][string] {
  const { samples } = found;
  return {
    installations: found.installations,
    silent: found.silent,
    dormant: found.dormant,
    dormant_accepting: found.dormantAccepting,
    already_dormant: found.alreadyDormant,
    purge: found.purge,
    samples: {
      silent: [...samples.silent],
      dormant: [...samples.dormant],
      purge: [...samples.purge],
    },
  };
}
