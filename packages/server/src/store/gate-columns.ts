import type { DeliveryState, Recipient } from '../domain/delivery.ts';
import type { GateRow } from '../domain/gate.ts';
import type { Permission, TokenStatus } from '../domain/installation.ts';
import {
  toAddress,
  toPreferences,
  type AddressRow,
  type PreferencesRow,
} from './installation-row.ts';

/** The columns of an address that are empty, or the usual kind, with most of them. */
type SparseColumn = 'credential_project' | 'environment' | 'topic' | 'token_kind';

/**
 * What the gate reads of an installation. What is so with nearly all of them comes as null, which
 * costs neither PostgreSQL nor the driver anything: 2 of 10 µs of Homing's for each delivery.
 */
interface InstallationColumns extends Omit<AddressRow, SparseColumn> {
  readonly credential_project: string | null;
  readonly environment: string | null;
  readonly topic: string | null;
  readonly token_kind: Exclude<AddressRow['token_kind'], 'token'> | null;
  /** Null with an address: it is live. */
  readonly token_status: Exclude<TokenStatus, 'live'> | null;
  readonly holder_version: number;
  /** Of Web Push subscriptions only. */
  readonly token_changed_at: Date | null;
  readonly permission: Permission | null;
  /** Null where nothing is preferred. */
  readonly preferences: PreferencesRow | null;
  readonly locale: string | null;
  readonly sdk_version: string | null;
  readonly dormant: true | null;
  readonly failing: true | null;
  readonly serving_credential: number | null;
}

/** What it reads of who is signed in there. */
interface OwnerColumns {
  readonly owner_ref: number | null;
  readonly owner_id: string | null;
  readonly owner_categories: Readonly<Record<string, boolean>> | null;
  readonly rcpt: string | null;
  readonly shared: boolean | null;
  readonly chosen_elsewhere: boolean;
}

/** What it reads of the ledger. */
interface RecordColumns {
  readonly settled_state: DeliveryState | null;
  readonly settled_reason: string | null;
  readonly settled_in_chunk: number | null;
  readonly attempts: number | null;
  readonly first_sent_at: Date | null;
  readonly possible_duplicate: boolean | null;
  readonly newer_sent: boolean;
}

/**
 * A row of the gate, by the names that `toGateRow` knows. What a statement did not look at is left
 * out, and as good as null: every column costs the driver and PostgreSQL with every delivery.
 */
export type GateColumns = InstallationColumns & Partial<OwnerColumns> & Partial<RecordColumns>;

/** One thing that a statement looks at for each delivery `s`: what it selects, and its joins. */
export interface Look {
  readonly columns: string;
  readonly joins: string;
}

export const INSTALLATION_COLUMNS = `
  i.provider, nullif(i.credential_project, '') as credential_project,
  nullif(i.environment, '') as environment, nullif(i.topic, '') as topic,
  nullif(i.token_kind, 'token') as token_kind, i.token,
  i.web_push_p256dh, i.web_push_auth, i.vapid_key_id,
  nullif(i.token_status, 'live') as token_status,
  coalesce(i.holder_version, 0) as holder_version,
  case when i.provider = 'webpush' then i.token_changed_at end as token_changed_at, i.permission,
  nullif(i.preferences, '{}') as preferences, i.locale, i.sdk_version,
  nullif(i.dormant_since is not null, false) as dormant,
  nullif(i.failures_in_a_row > 0, false) as failing,
  c.credential_ref as serving_credential`;

/**
 * The delivery's own user, if still signed in on the installation `i`, and whether that user said
 * "only this device" on another installation and not on `i`. An open link leads there, and the word
 * ends with the link, so that a device silences nothing by what its former user said. One that
 * shows nothing itself, because it is lost, dormant or denied, silences nothing either: the user
 * would read nowhere.
 */
const OWN_USER: Look = {
  columns: `
    own.user_ref as owner_ref, own.id as owner_id, own.preferences->'categories' as owner_categories,
    own.rcpt, own.shared,
    (coalesce(i.preferences->>'mode', '') <> 'only_this_device' and exists (
      select 1 from link chosen join installation other using (installation_ref)
      where chosen.user_ref = s.user_ref and chosen.ended_at is null
        and other.preferences->>'mode' = 'only_this_device'
        and other.token_status in ('live', 'contested') and other.dormant_since is null
        and other.permission is distinct from 'denied')) as chosen_elsewhere`,
  joins: `
    left join lateral (
      select l.user_ref, l.rcpt, a.account_mode = 'multi' as shared, u.id, u.preferences
      from link l join app_user u using (user_ref)
      where l.installation_ref = s.installation_ref and l.user_ref = s.user_ref
        and l.ended_at is null
      limit 1) own on true`,
};

/**
 * What is addressed to an installation is judged by what the one user of an exclusive app prefers,
 * whoever that is: of the link nothing but the user is asked for, which its index knows.
 */
const ANY_USER: Look = {
  columns: 'own.categories as owner_categories',
  joins: `
    left join lateral (
      select u.preferences->'categories' as categories
      from link l join app_user u using (user_ref)
      where l.installation_ref = s.installation_ref and l.ended_at is null
        and a.account_mode = 'exclusive'
      limit 1) own on true`,
};

/** How to look at the users of some recipients, all of one notification in the app `a`. */
export function lookAtUsers(recipients: readonly Recipient[]): Look {
  return recipients.some((one) => one.userRef !== 0) ? OWN_USER : ANY_USER;
}

/** The row as the rules of the gate see it. */
export function toGateRow(row: GateColumns, { installationRef, userRef }: Recipient): GateRow {
  return {
    installationRef,
    userRef,
    address: toAddress(fullAddress(row)),
    tokenStatus: row.token_status ?? (row.token === null ? null : 'live'),
    ownerRef: row.owner_ref ?? null,
    ownerId: row.owner_id ?? null,
    rcpt: row.rcpt ?? null,
    isShared: row.shared ?? false,
    holderVersion: row.holder_version,
    tokenChangedAt: row.token_changed_at,
    permission: row.permission,
    preferences: toPreferences(row.preferences ?? {}),
    userCategories: row.owner_categories ?? {},
    locale: row.locale,
    sdkVersion: row.sdk_version,
    credentialRef: row.serving_credential,
    newerSent: row.newer_sent ?? false,
    isDormant: row.dormant ?? false,
    isFailing: row.failing ?? false,
    chosenElsewhere: row.chosen_elsewhere ?? false,
    settledState: row.settled_state ?? null,
    settledReason: row.settled_reason ?? '',
    offeredInChunk: row.settled_in_chunk ?? null,
    attempts: row.attempts ?? 0,
    firstSentAt: row.first_sent_at ?? null,
    possibleDuplicate: row.possible_duplicate ?? false,
  };
}

function fullAddress(row: GateColumns): AddressRow {
  return {
    provider: row.provider,
    credential_project: row.credential_project ?? '',
    environment: row.environment ?? '',
    topic: row.topic ?? '',
    token_kind: row.token_kind ?? 'token',
    token: row.token,
    web_push_p256dh: row.web_push_p256dh,
    web_push_auth: row.web_push_auth,
    vapid_key_id: row.vapid_key_id,
  };
}
