import type { TimelineEntry } from '@homing/protocol';
import { deliverySentence, eventSentence } from '../domain/sentence.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import type { TimelineLine } from '../registry/timeline.ts';
import type { TracedDelivery } from '../store/deliveries.ts';
import type { TimelineEvent } from '../store/events.ts';

export function renderTimeline(lines: readonly TimelineLine[]): { data: TimelineEntry[] } {
  return {
    data: lines.map((line) =>
      line.kind === 'event' ? renderEvent(line.event) : renderDelivery(line.delivery),
    ),
  };
}

function renderEvent(event: TimelineEvent): TimelineEntry {
  return {
    at: event.at.toISOString(),
    kind: event.kind,
    sentence: eventSentence(event),
    installation_id: event.installationId,
    source: event.source,
    request_id: event.requestId,
    ...(event.userId !== null && { user_id: event.userId }),
    ...(event.oldToken !== null && { old_token: event.oldToken }),
    ...(event.newToken !== null && { new_token: event.newToken }),
    ...(event.seq !== null && { seq: event.seq }),
    ...(event.cause !== null && { cause: event.cause }),
    ...(event.appVersion !== null && { app_version: event.appVersion }),
    ...(event.sdkVersion !== null && { sdk_version: event.sdkVersion }),
  };
}

function renderDelivery(delivery: TracedDelivery): TimelineEntry {
  return {
    at: delivery.settledAt.toISOString(),
    kind: `delivery.${delivery.state}`,
    sentence: deliverySentence(delivery),
    installation_id: delivery.installationId,
    source: 'provider',
    request_id: null,
    notification_id: formatTypedId('ntf', delivery.notificationId),
    ...(delivery.userId !== null && { user_id: delivery.userId }),
    ...(delivery.reason !== null && { cause: delivery.reason }),
    ...(delivery.code !== null && { code: delivery.code }),
  };
}
