import type { Installation, User, UserExport } from '@homing/protocol';
import { tokenFingerprint } from '../domain/address-key.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import type { UserExtract } from '../registry/export-user.ts';
import { renderTimeline } from './render-timeline.ts';

/** The export of a user; the renderings that it shares with other answers mask tokens likewise. */
export function renderExport(user: User, extract: UserExtract, now: Date): UserExport {
  return {
    exported_at: now.toISOString(),
    user: { ...user, installations: user.installations.map((one) => ownPart(one, user.id)) },
    links: extract.links.map(renderLink),
    purpose_tokens: extract.purposeTokens.map(renderPurposeToken),
    events: renderTimeline(
      extract.events.map((event) => ({ kind: 'event', at: event.at, event }) as const),
    ).data,
    lists: extract.lists.map((list) => ({
      id: formatTypedId('aud', list.id),
      created_at: list.createdAt.toISOString(),
      variables: list.variables,
    })),
    notifications: extract.notifications.map(renderNotification),
    deliveries: extract.deliveries.map(renderDelivery),
    receipts: extract.receipts.map((receipt) => ({
      notification_id: formatTypedId('ntf', receipt.notificationId),
      installation_id: receipt.installationId,
      kind: receipt.kind,
      at: receipt.at.toISOString(),
    })),
  };
}

/**
 * Who was signed in on a device before, or is beside the user, is somebody else; the user's own
 * past is in the links.
 */
function ownPart(described: unknown, userId: string): Installation {
  const installation = described as Installation;
  const users = installation.users?.filter(({ id }) => id === userId);
  return { ...installation, ...(users !== undefined && { users }), last_user: null };
}

type One<Section extends keyof UserExtract> = UserExtract[Section][number];

function renderLink(link: One<'links'>): UserExport['links'][number] {
  return {
    installation_id: link.installationId,
    started_at: link.startedAt.toISOString(),
    ended_at: link.endedAt?.toISOString() ?? null,
    ended_by: link.endedBy,
    app_version: link.endedAppVersion,
  };
}

function renderPurposeToken(token: One<'purposeTokens'>): UserExport['purpose_tokens'][number] {
  return {
    installation_id: token.installationId,
    purpose: token.purpose,
    activity_id: token.activityId === '' ? null : token.activityId,
    masked: tokenFingerprint(token.token),
    environment: token.environment,
    topic: token.topic,
    updated_at: token.updatedAt.toISOString(),
  };
}

function renderNotification(
  notification: One<'notifications'>,
): UserExport['notifications'][number] {
  return {
    id: formatTypedId('ntf', notification.id),
    created_at: notification.createdAt.toISOString(),
    category: notification.category,
    content: notification.content,
    locales: notification.locales,
    variables: notification.variables,
    own_variables: notification.ownVariables,
  };
}

function renderDelivery(delivery: One<'deliveries'>): UserExport['deliveries'][number] {
  return {
    notification_id: formatTypedId('ntf', delivery.notificationId),
    installation_id: delivery.installationId,
    state: delivery.state,
    reason: delivery.reason,
    code: delivery.code,
    provider: delivery.provider,
    attempts: delivery.attempts,
    sent_at: delivery.sentAt?.toISOString() ?? null,
    settled_at: delivery.settledAt.toISOString(),
  };
}
