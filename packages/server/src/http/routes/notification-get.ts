import { NotificationReport } from '@homing/protocol';
import { DELIVERY_STATES } from '../../domain/delivery.ts';
import { formatTypedId, parseTypedId } from '../../domain/typed-id.ts';
import { summarizeNotification, type NotificationSummary } from '../../store/notifications.ts';
import type { Database, Queryable } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { NotificationPath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

export interface NotificationGetDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

/** `GET /v1/notifications/{id}`: counts by state and reason. */
export function notificationGet(server: HttpServer, deps: NotificationGetDependencies): void {
  server.get(
    '/v1/notifications/:notification_id',
    {
      schema: {
        params: NotificationPath,
        response: { 200: NotificationReport },
        summary: 'Counts by state and reason',
        tags: ['notifications'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'notifications:read');
      return renderReport(await requireNotification(deps.db, app.ref, request.params));
    },
  );
}

/** The notification that a path names; 404 for what is another app's, too. */
export async function requireNotification(
  db: Queryable,
  appRef: number,
  path: { readonly notification_id: string },
): Promise<NotificationSummary> {
  const id = parseTypedId('ntf', path.notification_id);
  const found = id === null ? null : await summarizeNotification(db, appRef, id);
  if (found === null) throw notFound('notification');
  return found;
}

function renderReport(summary: NotificationSummary): NotificationReport {
  const { counters } = summary;
  const counts = Object.fromEntries(
    DELIVERY_STATES.map((state) => [state, sum(counters.filter((row) => row.state === state))]),
  );
  return {
    id: formatTypedId('ntf', summary.id),
    status: statusOf(summary),
    created_at: summary.createdAt.toISOString(),
    expires_at: summary.expiresAt.toISOString(),
    finished_at: summary.finishedAt?.toISOString() ?? null,
    user_bound: summary.userBound,
    category: summary.category,
    labels: summary.labels,
    counts: { ...counts, expected: summary.expected, pending: summary.pending } as Counts,
    reasons: reasonsOf(counters),
    possible_duplicates: counters.reduce((total, row) => total + row.possible_duplicates, 0),
  };
}

type Counts = NotificationReport['counts'];

function sum(counters: NotificationSummary['counters']): number {
  return counters.reduce((total, row) => total + row.deliveries, 0);
}

/** How a notification stands; cancelled and finished are for good. */
export function statusOf(summary: NotificationSummary): NotificationReport['status'] {
  if (summary.cancelledAt !== null) return 'cancelled';
  if (summary.finishedAt !== null) return 'finished';
  if (summary.pausedAt !== null) return 'paused';
  return summary.expected === null ? 'accepted' : 'sending';
}

function reasonsOf(counters: NotificationSummary['counters']): NotificationReport['reasons'] {
  const reasons: Record<string, Record<string, number>> = {};
  for (const { state, reason, deliveries } of counters) {
    if (reason === '' || deliveries === 0) continue;
    reasons[state] = { ...reasons[state], [reason]: deliveries };
  }
  return reasons;
}
