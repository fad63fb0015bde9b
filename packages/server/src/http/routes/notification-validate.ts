import { NotificationInput, Validation } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import {
  validateNotification,
  type DryRun,
  type MeasurePush,
} from '../../sending/validate-notification.ts';
import type { Database } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import type { HttpServer } from '../server.ts';
import { checkNotification } from './notification-create.ts';

export interface NotificationValidateDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly measure: MeasurePush;
}

/** `POST /v1/notifications/validate`: what a send would come to. Stores nothing, not even a key. */
export function notificationValidate(
  server: HttpServer,
  deps: NotificationValidateDependencies,
): void {
  server.post(
    '/v1/notifications/validate',
    {
      schema: {
        body: NotificationInput,
        response: { 200: Validation },
        summary: 'Dry run: who would get it, and what would it weigh',
        tags: ['notifications'],
      },
    },
    async (request) => {
      const { app } = await deps.authenticator.backEnd(request, 'notifications:write');
      const input = checkNotification(request.body);
      const { db, measure, clock } = deps;
      const run = await validateNotification(db, app, input, measure, clock());
      if (run === null) throw notFound('list');
      return renderDryRun(run);
    },
  );
}

function renderDryRun(run: DryRun): Validation {
  return {
    valid: run.valid,
    user_bound: run.userBound,
    estimated: run.isEstimated,
    recipients: Object.fromEntries(run.recipients),
    exclusions: Object.fromEntries(run.exclusions),
    payload_bytes: Object.fromEntries(run.payloadBytes),
    samples: run.samples.map(({ title, body }) => ({ title: title ?? '', body: body ?? '' })),
  };
}
