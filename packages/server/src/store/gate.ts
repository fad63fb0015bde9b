import type { Recipient, DeliveryState } from '../domain/delivery.ts';
import type { GateRow } from '../domain/gate.ts';
import type { Permission, TokenStatus } from '../domain/installation.ts';
import type { LeasedChunk } from './chunks.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import {
  toAddress,
  toPreferences,
  type AddressRow,
  type PreferencesRow,
} from './installation-row.ts';
import type { Queryable } from './sql.ts';

/** What every reading of the gate selects, by the names that `toGateRow` knows. */
export interface GateColumns extends AddressRow {
  readonly installation_ref: number;
  readonly user_ref: number;
  readonly token_status: TokenStatus | null;
  readonly owner_ref: number | null;
  readonly owner_id: string | null;
  readonly owner_preferences: { readonly categories?: Record<string, boolean> } | null;
  readonly rcpt: string | null;
  readonly shared: boolean | null;
  readonly holder_version: number;
  readonly permission: Permission | null;
  readonly preferences: PreferencesRow;
  readonly locale: string | null;
  readonly sdk_version: string | null;
  readonly serving_credential: number | null;
  readonly newer_sent: boolean;
  readonly dormant: boolean;
  readonly chosen_elsewhere: boolean;
  readonly settled_state: DeliveryState | null;
  readonly settled_reason: string | null;
  readonly settled_in_chunk: number | null;
  readonly attempts: number | null;
  readonly first_sent_at: Date | null;
  readonly possible_duplicate: boolean | null;
}

/**
 * Whether the user of `s` said "only this device" on another installation and not on `i`. An open
 * link leads there, and the word ends with the link, so that a device silences nothing by what its
 * former user said. One that shows nothing itself, because it is lost, dormant or denied, silences
 * nothing either: the user would read nowhere.
 */
export const CHOSEN_ELSEWHERE = `
  (s.user_ref <> 0 and coalesce(i.preferences->>'mode', '') <> 'only_this_device' and exists (
    select 1 from link chosen join installation other using (installation_ref)
    where chosen.user_ref = s.user_ref and chosen.ended_at is null
      and other.preferences->>'mode' = 'only_this_device'
      and other.token_status in ('live', 'contested') and other.dormant_since is null
      and other.permission is distinct from 'denied'))`;

/**
 * Who has to be signed in on `i` for a delivery `s` of the app `a`, if that is so: the delivery's
 * own user. What is addressed to an installation is judged by what the one user of an exclusive app
 * prefers.
 */
export const OWNER_OF_DELIVERY = `
  select l.user_ref, l.rcpt, a.account_mode = 'multi' as shared, u.id, u.preferences
  from link l join app_user u using (user_ref)
  where l.installation_ref = s.installation_ref and l.ended_at is null
    and (l.user_ref = s.user_ref or (s.user_ref = 0 and a.account_mode = 'exclusive'))`;

interface GateStatementRow extends GateColumns {
  readonly cancelled: boolean;
}

export interface GatedSlice {
  readonly rows: readonly GateRow[];
  readonly cancelled: boolean;
}

/**
 * The ownership check and the write-ahead mark in one statement (rule R7): moves the chunk's mark
 * if the lease is still ours, and only then returns the current rows of the slice. Null when the
 * lease was lost. `through` is how many of the chunk's deliveries have then been checked. An
 * installation that was purged has a row without address and owner: its delivery ends all the same.
 */
export async function gateSlice(
  db: Queryable,
  chunk: LeasedChunk,
  slice: readonly Recipient[],
  through: number,
): Promise<GatedSlice | null> {
  const rows = await db<GateStatementRow[]>`
    with held as (
      update chunk set gated_through = greatest(gated_through, ${through})
      where chunk_ref = ${chunk.ref} and attempt = ${chunk.attempt}
        and lease_until > clock_timestamp()
      returning chunk_ref
    ), slice as (
      select * from unnest(${slice.map((one) => one.installationRef)}::bigint[],
        ${slice.map((one) => one.userRef)}::bigint[])
        with ordinality as s (installation_ref, user_ref, position)
    )
    select s.installation_ref, s.user_ref,
      i.provider, i.credential_project, i.environment, i.topic, i.token_kind, i.token,
      i.web_push_p256dh, i.web_push_auth, i.vapid_key_id, i.token_status,
      own.user_ref as owner_ref, own.id as owner_id, own.preferences as owner_preferences,
      own.rcpt, own.shared,
      coalesce(i.holder_version, 0) as holder_version, i.permission,
      coalesce(i.preferences, '{}') as preferences, i.locale, i.sdk_version,
      i.dormant_since is not null as dormant, ${db.unsafe(CHOSEN_ELSEWHERE)} as chosen_elsewhere,
      c.credential_ref as serving_credential,
      d.state as settled_state, d.reason as settled_reason, d.chunk_ref as settled_in_chunk,
      d.attempts, d.first_sent_at,
      d.possible_duplicate, n.cancelled_at is not null as cancelled,
      n.collapse_key is not null and ${chunk.retry} and exists (
        select 1 from delivery later join notification m using (notification_ref)
        where later.installation_ref = s.installation_ref and later.user_ref = s.user_ref
          and later.day >= n.day
          and later.notification_ref > n.notification_ref and later.state = 'accepted'
          and m.app_ref = n.app_ref and m.collapse_key = n.collapse_key
      ) as newer_sent
    from held
      cross join slice s
      join notification n on n.notification_ref = ${chunk.notificationRef}
      join app a on a.app_ref = n.app_ref
      left join installation i on i.installation_ref = s.installation_ref
      left join lateral (${db.unsafe(OWNER_OF_DELIVERY)}) own on true
      left join delivery d on d.day = ${chunk.day} and d.notification_ref = n.notification_ref
        and d.installation_ref = s.installation_ref and d.user_ref = s.user_ref
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
    order by s.position`;
  const first = rows[0];
  if (first === undefined) return null;
  return { rows: rows.map(toGateRow), cancelled: first.cancelled };
}

/** The row as the rules of the gate see it. */
export function toGateRow(row: GateColumns): GateRow {
  return {
    installationRef: row.installation_ref,
    userRef: row.user_ref,
    address: toAddress(row),
    tokenStatus: row.token_status,
    ownerRef: row.owner_ref,
    ownerId: row.owner_id,
    rcpt: row.rcpt,
    isShared: row.shared ?? false,
    holderVersion: row.holder_version,
    permission: row.permission,
    preferences: toPreferences(row.preferences),
    userCategories: row.owner_preferences?.categories ?? {},
    locale: row.locale,
    sdkVersion: row.sdk_version,
    credentialRef: row.serving_credential,
    newerSent: row.newer_sent,
    isDormant: row.dormant,
    chosenElsewhere: row.chosen_elsewhere,
    settledState: row.settled_state,
    settledReason: row.settled_reason ?? '',
    offeredInChunk: row.settled_in_chunk,
    attempts: row.attempts ?? 0,
    firstSentAt: row.first_sent_at,
    possibleDuplicate: row.possible_duplicate ?? false,
  };
}
