import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { deliveriesToInstallations, type TracedDelivery } from '../store/deliveries.ts';
import { eventsOf, type TimelineEvent } from '../store/events.ts';
import { linksOfUser, type LinkPeriod } from '../store/links.ts';
import type { Queryable } from '../store/sql.ts';

/** One line: a change of the registry or a delivery. */
export type TimelineLine =
  | { readonly kind: 'event'; readonly at: Date; readonly event: TimelineEvent }
  | { readonly kind: 'delivery'; readonly at: Date; readonly delivery: TracedDelivery };

/** All that happened to an installation, oldest first, deliveries included. */
export async function installationTimeline(
  db: Queryable,
  installation: Installation,
): Promise<readonly TimelineLine[]> {
  const refs = [installation.ref];
  const [events, deliveries] = await Promise.all([
    eventsOf(db, refs, LIMITS.timelineEvents),
    deliveriesToInstallations(db, refs, LIMITS.timelineEvents),
  ]);
  return merge(events, deliveries);
}

/**
 * What happened to a user: on each device, the time in which the user was signed in there, and what
 * was addressed to the user. What another user did on the same device is not part of it.
 */
export async function userTimeline(
  db: Queryable,
  userRef: number,
  userId: string,
): Promise<readonly TimelineLine[]> {
  const periods = await linksOfUser(db, userRef, LIMITS.pageMax);
  const refs = [...new Set(periods.map((period) => period.installationRef))];
  const [events, deliveries] = await Promise.all([
    eventsOf(db, refs, LIMITS.timelineEvents),
    deliveriesToInstallations(db, refs, LIMITS.timelineEvents),
  ]);
  return merge(
    events.filter((event) => concerns(event, userId, periods)),
    deliveries.filter((delivery) => delivery.userRef === userRef),
  );
}

/** Whether an event is about this user: the user's own doing, or within one of the link periods. */
export function concerns(
  event: TimelineEvent,
  userId: string,
  periods: readonly LinkPeriod[],
): boolean {
  if (event.kind === 'user.attached' || event.kind === 'user.detached') {
    return event.userId === userId;
  }
  return periods.some(
    (period) =>
      period.installationId === event.installationId &&
      event.at >= period.startedAt &&
      (period.endedAt === null || event.at <= period.endedAt),
  );
}

function merge(
  events: readonly TimelineEvent[],
  deliveries: readonly TracedDelivery[],
): readonly TimelineLine[] {
  const lines: readonly TimelineLine[] = [
    ...events.map((event) => ({ kind: 'event', at: event.at, event }) as const),
    ...deliveries.map(
      (delivery) => ({ kind: 'delivery', at: delivery.settledAt, delivery }) as const,
    ),
  ];
  return lines.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}
