import type { Recipient } from '../domain/delivery.ts';
import type { GateRow } from '../domain/gate.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { CHOSEN_ELSEWHERE, OWNER_OF_DELIVERY, toGateRow, type GateColumns } from './gate.ts';
import type { Queryable } from './sql.ts';

interface PreviewRow extends GateColumns {
  readonly platform: string | null;
}

/** What the gate would see of a recipient at this moment, had it been accepted. */
export interface GatePreview {
  readonly row: GateRow;
  readonly platform: string | null;
}

/** The rows that `gateSlice` would judge, for a notification that does not exist: marks nothing. */
export async function previewGate(
  db: Queryable,
  appRef: number,
  recipients: readonly Recipient[],
): Promise<readonly GatePreview[]> {
  const rows = await db<PreviewRow[]>`
    with slice as (
      select * from unnest(${recipients.map((one) => one.installationRef)}::bigint[],
        ${recipients.map((one) => one.userRef)}::bigint[])
        with ordinality as s (installation_ref, user_ref, position)
    )
    select s.installation_ref, s.user_ref,
      i.provider, i.credential_project, i.environment, i.topic, i.token_kind, i.token,
      i.web_push_p256dh, i.web_push_auth, i.vapid_key_id, i.token_status,
      own.user_ref as owner_ref, own.id as owner_id, own.preferences as owner_preferences,
      own.rcpt, own.shared,
      i.holder_version, i.permission, i.preferences, i.locale, i.sdk_version, i.platform,
      i.dormant_since is not null as dormant, ${db.unsafe(CHOSEN_ELSEWHERE)} as chosen_elsewhere,
      c.credential_ref as serving_credential, false as newer_sent,
      null::text as settled_state, null::text as settled_reason,
      null::bigint as settled_in_chunk, null::smallint as attempts,
      null::timestamptz as first_sent_at, null::boolean as possible_duplicate
    from slice s
      join installation i on i.installation_ref = s.installation_ref and i.app_ref = ${appRef}
      join app a on a.app_ref = i.app_ref
      left join lateral (${db.unsafe(OWNER_OF_DELIVERY)}) own on true
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
    order by s.position`;
  return rows.map((row) => ({ row: toGateRow(row), platform: row.platform }));
}
