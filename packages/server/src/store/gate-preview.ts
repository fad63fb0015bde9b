import type { Recipient } from '../domain/delivery.ts';
import type { GateRow } from '../domain/gate.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import { installationFor, purposeOf } from './addressed-installation.ts';
import { CREDENTIAL_OF_ADDRESS } from './credential-match.ts';
import { INSTALLATION_COLUMNS, lookAtUsers, toGateRow, type GateColumns } from './gate-columns.ts';
import type { Queryable } from './sql.ts';

type PreviewRow = GateColumns & {
  readonly installation_ref: number;
  readonly user_ref: number;
  readonly platform: string | null;
};

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
  purpose: PurposeTarget | null,
): Promise<readonly GatePreview[]> {
  const users = lookAtUsers(recipients);
  const rows = await db<PreviewRow[]>`
    with slice as (
      select * from unnest(${recipients.map((one) => one.installationRef)}::bigint[],
        ${recipients.map((one) => one.userRef)}::bigint[])
        with ordinality as s (installation_ref, user_ref, position)
    )
    select s.installation_ref, s.user_ref, i.platform, ${db.unsafe(INSTALLATION_COLUMNS)},
      ${db.unsafe(users.columns)}
    from slice s cross join ${purposeOf(db, purpose)}
      join lateral (${db.unsafe(installationFor(purpose, 's.installation_ref'))}) i
        on i.app_ref = ${appRef}
      join app a on a.app_ref = i.app_ref
      left join lateral (${db.unsafe(CREDENTIAL_OF_ADDRESS)}) c on true
      ${db.unsafe(users.joins)}
    order by s.position`;
  return rows.map((row) => ({
    row: toGateRow(row, { installationRef: row.installation_ref, userRef: row.user_ref }),
    platform: row.platform,
  }));
}
