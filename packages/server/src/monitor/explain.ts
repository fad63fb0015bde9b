import type { Explanation, ReasonHelp } from '@homing/protocol';
import { walkedAudience } from '../domain/audience.ts';
import { unreachableReason, type Reachability } from '../domain/candidate.ts';
import { deliverySentence, skipSentence } from '../domain/sentence.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import { walkAudience } from '../store/audience-walk.ts';
import { deliveriesToUser, type TracedDelivery } from '../store/deliveries.ts';
import { findInstallation, installationsOfUser } from '../store/installations.ts';
import { linksOfUser, type LinkPeriod } from '../store/links.ts';
import type { NotificationSummary } from '../store/notifications.ts';
import type { Queryable } from '../store/sql.ts';
import type { UserRecord } from '../store/users.ts';
import type { Installation } from '../domain/installation.ts';

const FORMER_LIMIT = 50;

/**
 * Answers "why did this user (not) get it": one sentence for each device that was addressed or is
 * signed in now, and how the links to former devices ended.
 */
export async function explainNotification(
  db: Queryable,
  notification: NotificationSummary,
  user: UserRecord,
  helpOf: HelpOf,
): Promise<Explanation> {
  const [deliveries, links] = await Promise.all([
    deliveriesToUser(db, notification.day, notification.ref, user.ref),
    linksOfUser(db, user.ref, FORMER_LIMIT),
  ]);
  const rows = await explainDevices(db, notification, user, deliveries, helpOf);
  const former = links.filter((link) => link.endedAt !== null);
  return {
    notification_id: formatTypedId('ntf', notification.id),
    user_id: user.id,
    summary: summarize(rows, former.length),
    installations: rows,
    former_installations: former.map(renderFormer),
  };
}

type Row = Explanation['installations'][number];

/** What the answer that a delivery ended with means; null where there is nothing to say. */
export type HelpOf = (delivery: TracedDelivery) => ReasonHelp | null;

async function explainDevices(
  db: Queryable,
  notification: NotificationSummary,
  user: UserRecord,
  deliveries: readonly TracedDelivery[],
  helpOf: HelpOf,
): Promise<Row[]> {
  const linked = await installationsOfUser(db, user.appRef, user.ref);
  const addressed = await Promise.all(
    deliveries.map(async (delivery) => {
      const installation = await findInstallation(db, user.appRef, delivery.installationId);
      return renderDelivery(delivery, installation, helpOf(delivery));
    }),
  );
  const others = linked.filter(({ id }) =>
    deliveries.every((delivery) => delivery.installationId !== id),
  );
  return [...addressed, ...(await explainUnsettled(db, notification, user, others))];
}

/** Devices without a row in the ledger. */
async function explainUnsettled(
  db: Queryable,
  notification: NotificationSummary,
  user: UserRecord,
  installations: readonly Installation[],
): Promise<Row[]> {
  const audience = walkedAudience(notification.audience, notification.userBound);
  if (audience === null) {
    return installations.map((one) => renderUnsettled(one, user, notification));
  }
  const installationRefs = installations.map(({ ref }) => ref);
  const range = { kind: 'among', installationRefs } as const;
  const { groups } = await walkAudience(db, user.appRef, audience, range);
  return installations.map((installation) => {
    const group = groups.find(({ recipients }) =>
      recipients.some(
        ({ installationRef, userRef }) =>
          installationRef === installation.ref && (userRef === 0 || userRef === user.ref),
      ),
    );
    return renderUncounted(installation, notification, group ?? null);
  });
}

/**
 * A device that the walk over a large audience may have counted without a row: why it was is told
 * by what is true of it now. `reachability` is null when it is not of the audience.
 */
function renderUncounted(
  installation: Installation,
  { lane, createdAt, finishedAt }: NotificationSummary,
  reachability: Reachability | null,
): Row {
  const reason = reachability === null ? null : unreachableReason(reachability, lane);
  const row = (state: string, sentence: string): Row => ({
    installation_id: installation.id,
    label: installation.device.label,
    state,
    reason,
    sentence,
    help: null,
    addressee_tag_acts: canFilter(installation),
  });
  if (installation.createdAt > createdAt) {
    return row('not_addressed', 'The device came after the notification was accepted.');
  }
  if (reachability === null) {
    return row('not_addressed', 'The device does not belong to the audience.');
  }
  if (reason !== null) return row('skipped', skipSentence(reason));
  return finishedAt === null
    ? row('pending', 'The notification is on its way to this device.')
    : row('not_addressed', 'The device could not be reached, or did not belong, at that time.');
}

function renderDelivery(
  delivery: TracedDelivery,
  installation: Installation | null,
  help: ReasonHelp | null,
): Row {
  return {
    installation_id: delivery.installationId,
    label: installation?.device.label ?? null,
    state: delivery.state,
    reason: delivery.reason,
    sentence: deliverySentence(delivery),
    help,
    addressee_tag_acts: canFilter(installation),
  };
}

/** Whether code of ours runs on the device before a push is shown. */
function canFilter(installation: Installation | null): boolean {
  return installation !== null && installation.device.sdkVersion !== null;
}

function renderUnsettled(
  installation: Installation,
  user: UserRecord,
  notification: NotificationSummary,
): Row {
  const link = installation.links.find(({ userRef }) => userRef === user.ref);
  const linkedAt = link?.linkedAt ?? installation.createdAt;
  const isLater = linkedAt > notification.createdAt;
  const isOver = notification.finishedAt !== null;
  const sentence = isLater
    ? 'The user signed in on this device after the notification was accepted.'
    : isOver
      ? 'The device was not addressed by this notification.'
      : 'The notification is on its way to this device.';
  return {
    installation_id: installation.id,
    label: installation.device.label,
    state: isLater || isOver ? 'not_addressed' : 'pending',
    reason: null,
    sentence,
    help: null,
    addressee_tag_acts: canFilter(installation),
  };
}

function renderFormer(link: LinkPeriod): Explanation['former_installations'][number] {
  const endedBy = link.endedBy ?? 'removed';
  const endedAt = (link.endedAt ?? link.startedAt).toISOString();
  return {
    installation_id: link.installationId,
    ended_by: endedBy,
    ended_at: endedAt,
    app_version: link.endedAppVersion,
    sentence: `Signed in until ${endedAt}${onVersion(link)}; it ended by ${ENDINGS[endedBy]}.`,
  };
}

function onVersion({ endedAppVersion }: LinkPeriod): string {
  return endedAppVersion === null ? '' : `, with version ${endedAppVersion} of the app`;
}

const ENDINGS = {
  logout: 'a logout',
  switched: "somebody else's sign-in",
  revoked: "the back end's word",
  deleted: 'the deletion of the account',
  removed: 'the removal of the installation',
  superseded: 'a newer installation on the same device',
} as const;

function summarize(rows: readonly Row[], formerCount: number): string {
  if (rows.length === 0) {
    const former = formerCount === 0 ? '' : ' any more';
    return `The user is not signed in on any device${former}.`;
  }
  const accepted = rows.filter((row) => row.state === 'accepted').length;
  return `Accepted for ${accepted} of ${rows.length} ${rows.length === 1 ? 'device' : 'devices'}.`;
}
