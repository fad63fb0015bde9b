import { Readable } from 'node:stream';
import { Delivery, type ReasonHelp } from '@homing/protocol';
import { Type } from 'typebox';
import type { FindAnswerReason } from '../../domain/answer-reason.ts';
import { streamDeliveries, type DeliveryRecord } from '../../store/deliveries.ts';
import type { Database } from '../../store/sql.ts';
import type { Authenticator } from '../authenticate.ts';
import { NotificationPath } from '../parameters.ts';
import { deliveryHelp } from '../reason-help.ts';
import type { HttpServer } from '../server.ts';
import { requireNotification } from './notification-get.ts';

export interface NotificationDeliveriesDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly findReason: FindAnswerReason;
}

/** A stream of lines, each of which is a delivery. */
const Lines = Type.Unsafe<Readable>(Delivery);

/** `GET /v1/notifications/{id}/deliveries`: any number of them, as NDJSON. */
export function notificationDeliveries(
  server: HttpServer,
  deps: NotificationDeliveriesDependencies,
): void {
  server.get(
    '/v1/notifications/:notification_id/deliveries',
    {
      schema: {
        params: NotificationPath,
        response: { 200: { content: { 'application/x-ndjson': { schema: Lines } } } },
        summary: 'Every delivery, as NDJSON',
        tags: ['notifications'],
      },
    },
    async (request, reply) => {
      const { app } = await deps.authenticator.backEnd(request, 'notifications:read');
      const { day, ref } = await requireNotification(deps.db, app.ref, request.params);
      const helpOf = deliveryHelp(request, deps.findReason);
      const lines = renderLines(streamDeliveries(deps.db, day, ref), helpOf);
      return reply.type('application/x-ndjson').send(Readable.from(lines));
    },
  );
}

async function* renderLines(
  batches: AsyncGenerator<readonly DeliveryRecord[]>,
  helpOf: (delivery: DeliveryRecord) => ReasonHelp | null,
): AsyncGenerator<string> {
  const render = (delivery: DeliveryRecord): string =>
    `${JSON.stringify(renderDelivery(delivery, helpOf(delivery)))}\n`;
  for await (const batch of batches) yield batch.map(render).join('');
}

function renderDelivery(delivery: DeliveryRecord, help: ReasonHelp | null): Delivery {
  return {
    installation_id: delivery.installationId,
    user_id: delivery.userId,
    state: delivery.state,
    reason: delivery.reason,
    code: delivery.code,
    provider: delivery.provider,
    provider_id: delivery.providerId,
    attempts: delivery.attempts,
    possible_duplicate: delivery.possibleDuplicate,
    sent_at: delivery.sentAt?.toISOString() ?? null,
    settled_at: delivery.settledAt.toISOString(),
    help,
  };
}
