import assert from 'node:assert';
import type {
  Address,
  ApnsEnvironment,
  FcmAddress,
  HmsAddress,
  ProviderName,
} from '../domain/address.ts';
import {
  DEFAULT_PREFERENCES,
  type DevicePreferences,
  type HeldToken,
  type Installation,
  type OpenLink,
  type Permission,
  type TokenError,
  type TokenStatus,
} from '../domain/installation.ts';
import { FIELD_GROUPS, type FieldGroup, type GroupMark } from '../domain/ordering.ts';

/** The columns of an address, as the tables `installation` and the gate's statement give them. */
export interface AddressRow {
  readonly provider: ProviderName | null;
  readonly credential_project: string;
  readonly environment: string;
  readonly topic: string;
  readonly token_kind: FcmAddress['kind'] | HmsAddress['kind'];
  readonly token: string | null;
  readonly web_push_p256dh: string | null;
  readonly web_push_auth: string | null;
  readonly vapid_key_id: string | null;
}

type MarkRow = { readonly [G in FieldGroup as `${G}_seq`]: number | null } & {
  readonly [G in FieldGroup as `${G}_hash`]: Buffer | null;
};

export interface InstallationRow extends AddressRow, MarkRow {
  readonly installation_ref: number;
  readonly app_ref: number;
  readonly id: string;
  readonly secret_hash: Buffer | null;
  readonly address_key: Buffer | null;
  readonly token_status: TokenStatus | null;
  readonly token_status_code: string | null;
  readonly token_status_at: Date | null;
  readonly token_confirmed_at: Date | null;
  readonly token_changed_at: Date | null;
  readonly former_address_key: Buffer | null;
  readonly token_returned: boolean;
  readonly holder_version: number;
  readonly server_write_at: Date | null;
  readonly named_seq: number | null;
  readonly topics_seq: number | null;
  readonly token_error_code: string | null;
  readonly token_error_detail: string | null;
  readonly permission: Permission | null;
  readonly dormant_since: Date | null;
  readonly removed_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_seen_at: Date;
  readonly last_failure_code: string | null;
  readonly last_failure_at: Date | null;
  readonly failures_in_a_row: number;
  readonly platform: string | null;
  readonly label: string | null;
  readonly model: string | null;
  readonly os_version: string | null;
  readonly app_version: string | null;
  readonly sdk_version: string | null;
  readonly locale: string | null;
  readonly time_zone: string | null;
  readonly vendor_id: string | null;
  readonly client_time: Date | null;
  readonly tags: Record<string, string>;
  readonly device_tags: Record<string, string>;
  readonly preferences: PreferencesRow;
}

/** One of the installation's open links, if it has any. */
interface LinkColumns {
  readonly link_user_ref: number | null;
  readonly link_user_id: string | null;
  readonly link_started_at: Date | null;
  readonly link_asserted_at: Date | null;
  readonly link_rcpt: string | null;
}

/** An installation with one of its links: as many rows as it has links, at least one. */
export type LinkedInstallationRow = InstallationRow & LinkColumns;

/** Preferences as JSON keeps them. */
export interface PreferencesRow {
  readonly mode?: DevicePreferences['mode'];
  readonly muted_until?: string | null;
  readonly categories?: Record<string, boolean>;
}

/** Makes installations of rows that come in the order of their references. */
export function toInstallations(rows: readonly LinkedInstallationRow[]): readonly Installation[] {
  const installations: Installation[] = [];
  let links: OpenLink[] = [];
  for (const row of rows) {
    if (installations.at(-1)?.ref !== row.installation_ref) {
      links = [];
      installations.push(toInstallation(row, links));
    }
    const link = toOpenLink(row);
    if (link !== null) links.push(link);
  }
  return installations;
}

function toOpenLink(row: LinkColumns): OpenLink | null {
  const { link_user_ref: userRef, link_user_id: userId, link_started_at: linkedAt } = row;
  if (userRef === null || userId === null || linkedAt === null) return null;
  return { userRef, userId, linkedAt, assertedAt: row.link_asserted_at, rcpt: row.link_rcpt };
}

function toInstallation(row: InstallationRow, links: readonly OpenLink[]): Installation {
  return {
    ref: row.installation_ref,
    appRef: row.app_ref,
    id: row.id,
    secretHash: row.secret_hash,
    token: toHeldToken(row),
    links,
    holderVersion: row.holder_version,
    serverWriteAt: row.server_write_at,
    marks: toMarks(row),
    namedSeq: row.named_seq,
    topicsSeq: row.topics_seq,
    tokenError: toTokenError(row),
    permission: row.permission,
    device: {
      platform: row.platform,
      label: row.label,
      model: row.model,
      osVersion: row.os_version,
      appVersion: row.app_version,
      sdkVersion: row.sdk_version,
      locale: row.locale,
      timeZone: row.time_zone,
      vendorId: row.vendor_id,
    },
    clientTime: row.client_time,
    tags: row.tags,
    deviceTags: row.device_tags,
    preferences: toPreferences(row.preferences),
    dormantSince: row.dormant_since,
    removedAt: row.removed_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    lastSeenAt: row.last_seen_at,
    lastFailure:
      row.last_failure_code === null || row.last_failure_at === null
        ? null
        : { code: row.last_failure_code, at: row.last_failure_at },
    failuresInARow: row.failures_in_a_row,
  };
}

export function toPreferences(row: PreferencesRow): DevicePreferences {
  return {
    mode: row.mode ?? DEFAULT_PREFERENCES.mode,
    mutedUntil: row.muted_until ? new Date(row.muted_until) : null,
    categories: row.categories ?? {},
  };
}

function toHeldToken(row: InstallationRow): HeldToken | null {
  const address = toAddress(row);
  if (address === null || row.address_key === null || row.token_status === null) return null;
  assert(row.token_confirmed_at !== null && row.token_changed_at !== null);
  return {
    address,
    key: row.address_key,
    status: row.token_status,
    statusCode: row.token_status_code,
    statusAt: row.token_status_at,
    confirmedAt: row.token_confirmed_at,
    changedAt: row.token_changed_at,
    formerKey: row.former_address_key,
    isReturned: row.token_returned,
  };
}

function toMarks(row: InstallationRow): Record<FieldGroup, GroupMark> {
  const entries = FIELD_GROUPS.map((group) => [
    group,
    { seq: row[`${group}_seq`], hash: row[`${group}_hash`] },
  ]);
  return Object.fromEntries(entries) as Record<FieldGroup, GroupMark>;
}

/** Null when the row has no address. */
export function toAddress(row: AddressRow): Address | null {
  if (row.provider === null || row.token === null) return null;
  const { token } = row;
  switch (row.provider) {
    case 'apns': {
      const environment = row.environment as ApnsEnvironment;
      return { provider: 'apns', environment, topic: row.topic, token };
    }
    case 'fcm': {
      const kind = row.token_kind as FcmAddress['kind'];
      return { provider: 'fcm', kind, project: row.credential_project, token };
    }
    case 'webpush': {
      assert(row.web_push_p256dh !== null && row.web_push_auth !== null);
      const keys = { p256dh: row.web_push_p256dh, auth: row.web_push_auth };
      return { provider: 'webpush', token, ...keys, vapidKeyId: row.vapid_key_id };
    }
    case 'expo':
      return { provider: 'expo', token };
    case 'hms':
      return { provider: 'hms', kind: row.token_kind as HmsAddress['kind'], token };
  }
}

/**
 * The columns that hold an address; all of them, so that nothing of a former address stays behind.
 */
export function addressColumns(address: Address | null): AddressRow {
  const empty: AddressRow = {
    provider: address?.provider ?? null,
    credential_project: '',
    environment: '',
    topic: '',
    token_kind: 'token',
    token: address?.token ?? null,
    web_push_p256dh: null,
    web_push_auth: null,
    vapid_key_id: null,
  };
  switch (address?.provider) {
    case 'apns':
      return { ...empty, environment: address.environment, topic: address.topic };
    case 'fcm':
      return { ...empty, credential_project: address.project, token_kind: address.kind };
    case 'webpush':
      return {
        ...empty,
        web_push_p256dh: address.p256dh,
        web_push_auth: address.auth,
        vapid_key_id: address.vapidKeyId,
      };
    case 'hms':
      return { ...empty, token_kind: address.kind };
    case 'expo':
    case undefined:
      return empty;
  }
}

function toTokenError(row: InstallationRow): TokenError | null {
  const { token_error_code: code, token_error_detail: detail } = row;
  return code === null ? null : { code, detail };
}
