import type { Installation as InstallationBody } from '@homing/protocol';
import { tokenFingerprint } from '../domain/address-key.ts';
import { installationStatus, type HeldToken, type Installation } from '../domain/installation.ts';
import type { AccountMode } from '../domain/registration.ts';
import type { InstallationDescription } from '../registry/describe-installation.ts';
import { renderInstant, renderInstantOrNull } from './render-instant.ts';

/** Who reads: back ends see history and failures, devices only their own state. */
export type Reader = 'client' | 'back_end';

/** How an installation is shown. */
export interface InstallationView {
  readonly reader: Reader;
  readonly accountMode: AccountMode;
  readonly now: Date;
}

export function renderInstallation(
  description: InstallationDescription,
  { reader, accountMode, now }: InstallationView,
): InstallationBody {
  const { installation, topics } = description;
  const { device, preferences } = installation;
  return {
    id: installation.id,
    status: installationStatus(installation, now),
    ...renderUsers(installation, accountMode),
    token: installation.token === null ? null : renderToken(installation.token),
    token_error: installation.tokenError,
    permission: installation.permission,
    device: {
      platform: device.platform,
      vendor_id: device.vendorId,
      label: device.label,
      model: device.model,
      os_version: device.osVersion,
      app_version: device.appVersion,
      sdk_version: device.sdkVersion,
      locale: device.locale,
      time_zone: device.timeZone,
    },
    tags: installation.tags,
    device_tags: installation.deviceTags,
    preferences: {
      mode: preferences.mode,
      muted_until: renderInstantOrNull(preferences.mutedUntil),
      categories: preferences.categories,
    },
    topics: topics.map(({ topic, userRef }) => ({
      topic,
      scope: userRef === null ? 'device' : 'user',
    })),
    seq: renderSequences(installation),
    created_at: renderInstant(installation.createdAt),
    updated_at: renderInstant(installation.updatedAt),
    last_seen_at: renderInstant(installation.lastSeenAt),
    ...(reader === 'back_end' && renderHistory(description)),
  };
}

/** The one user there can be, or all of them. */
function renderUsers(
  { links }: Installation,
  accountMode: AccountMode,
): Pick<InstallationBody, 'user' | 'users'> {
  const users = links.map(({ userId, linkedAt }) => ({
    id: userId,
    linked_at: renderInstant(linkedAt),
  }));
  return accountMode === 'multi' ? { users } : { user: users[0] ?? null };
}

/** The sequence that each field group is at; of topics the highest. */
export function renderSequences({ marks, topicsSeq }: Installation): InstallationBody['seq'] {
  return {
    token: marks.token.seq,
    user: marks.user.seq,
    device: marks.device.seq,
    preferences: marks.preferences.seq,
    topics: topicsSeq,
  };
}

function renderToken(token: HeldToken): NonNullable<InstallationBody['token']> {
  const { address } = token;
  return {
    provider: address.provider,
    masked: tokenFingerprint(address.token),
    ...(address.provider === 'apns' && {
      environment: address.environment,
      topic: address.topic,
    }),
    ...(address.provider === 'fcm' && { kind: address.kind, project: address.project }),
    ...(address.provider === 'hms' && { kind: address.kind }),
    status: token.status,
    status_code: token.statusCode,
    status_at: renderInstantOrNull(token.statusAt),
    confirmed_at: renderInstant(token.confirmedAt),
    changed_at: renderInstant(token.changedAt),
  };
}

function renderHistory(description: InstallationDescription): Partial<InstallationBody> {
  const { installation, lastUser, lastAcceptedOn } = description;
  const { lastFailure } = installation;
  return {
    dormant_since: renderInstantOrNull(installation.dormantSince),
    last_user:
      lastUser === null
        ? null
        : { id: lastUser.id, until: renderInstant(lastUser.until), ended_by: lastUser.endedBy },
    last_accepted_on: lastAcceptedOn,
    last_failure:
      lastFailure === null ? null : { code: lastFailure.code, at: renderInstant(lastFailure.at) },
    failures_in_a_row: installation.failuresInARow,
  };
}
