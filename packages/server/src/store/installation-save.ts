import type { Installation } from '../domain/installation.ts';
import { addressColumns } from './installation-row.ts';
import { arrayText, type ArrayElement } from './array-text.ts';
import type { Transaction } from './sql.ts';

/** An installation as it is from now on. */
export interface SavedInstallation {
  readonly next: Installation;
  /** As its row is, which is held under lock; null when the whole row is to be written. */
  readonly held: Installation | null;
}

type Columns = Readonly<Record<string, ArrayElement>>;

/**
 * Columns that are written together, with their types. Every one costs a microsecond or so, for
 * each row and on both sides, so that what a token refresh leaves alone is not sent.
 */
interface Part {
  readonly types: Readonly<Record<string, string>>;
  /** The values of an installation, in the order of the types. */
  readonly columns: (installation: Installation) => Columns;
  /** False where both are known to have the same values. */
  readonly differs: (held: Installation, next: Installation) => boolean;
}

const STATE: Part = {
  types: {
    installation_ref: 'bigint',
    secret_hash: 'bytea',
    holder_version: 'bigint',
    server_write_at: 'timestamptz',
    token_seq: 'bigint',
    token_hash: 'bytea',
    user_seq: 'bigint',
    user_hash: 'bytea',
    device_seq: 'bigint',
    device_hash: 'bytea',
    named_seq: 'bigint',
    dormant_since: 'timestamptz',
    removed_at: 'timestamptz',
    updated_at: 'timestamptz',
    last_seen_at: 'timestamptz',
    failures_in_a_row: 'integer',
  },
  columns: (installation) => ({
    installation_ref: installation.ref,
    secret_hash: installation.secretHash,
    holder_version: installation.holderVersion,
    server_write_at: installation.serverWriteAt,
    token_seq: installation.marks.token.seq,
    token_hash: installation.marks.token.hash,
    user_seq: installation.marks.user.seq,
    user_hash: installation.marks.user.hash,
    device_seq: installation.marks.device.seq,
    device_hash: installation.marks.device.hash,
    named_seq: installation.namedSeq,
    dormant_since: installation.dormantSince,
    removed_at: installation.removedAt,
    updated_at: installation.updatedAt,
    last_seen_at: installation.lastSeenAt,
    failures_in_a_row: installation.failuresInARow,
  }),
  differs: () => true,
};

const TOKEN: Part = {
  types: {
    provider: 'text',
    credential_project: 'text',
    environment: 'text',
    topic: 'text',
    token_kind: 'text',
    token: 'text',
    web_push_p256dh: 'text',
    web_push_auth: 'text',
    vapid_key_id: 'text',
    address_key: 'bytea',
    token_status: 'text',
    token_status_code: 'text',
    token_status_at: 'timestamptz',
    token_confirmed_at: 'timestamptz',
    token_changed_at: 'timestamptz',
    former_address_key: 'bytea',
    token_returned: 'boolean',
  },
  columns: ({ token }) => ({
    ...addressColumns(token?.address ?? null),
    address_key: token?.key ?? null,
    token_status: token?.status ?? null,
    token_status_code: token?.statusCode ?? null,
    token_status_at: token?.statusAt ?? null,
    token_confirmed_at: token?.confirmedAt ?? null,
    token_changed_at: token?.changedAt ?? null,
    former_address_key: token?.formerKey ?? null,
    token_returned: token?.isReturned ?? false,
  }),
  differs: (held, next) => held.token !== next.token,
};

const DEVICE: Part = {
  types: {
    permission: 'text',
    token_error_code: 'text',
    token_error_detail: 'text',
    platform: 'text',
    label: 'text',
    model: 'text',
    os_version: 'text',
    app_version: 'text',
    sdk_version: 'text',
    locale: 'text',
    time_zone: 'text',
    vendor_id: 'text',
    client_time: 'timestamptz',
    tags: 'jsonb',
    device_tags: 'jsonb',
  },
  columns: ({ permission, tokenError, device, clientTime, tags, deviceTags }) => ({
    permission,
    token_error_code: tokenError?.code ?? null,
    token_error_detail: tokenError?.detail ?? null,
    platform: device.platform,
    label: device.label,
    model: device.model,
    os_version: device.osVersion,
    app_version: device.appVersion,
    sdk_version: device.sdkVersion,
    locale: device.locale,
    time_zone: device.timeZone,
    vendor_id: device.vendorId,
    client_time: clientTime,
    tags: JSON.stringify(tags),
    device_tags: JSON.stringify(deviceTags),
  }),
  differs: (held, next) =>
    held.device !== next.device ||
    held.permission !== next.permission ||
    held.tokenError !== next.tokenError ||
    held.clientTime !== next.clientTime ||
    held.tags !== next.tags ||
    held.deviceTags !== next.deviceTags,
};

const PARTS = [STATE, TOKEN, DEVICE] as const;

/**
 * Overwrites rows, or those parts of them that differ in any, which the caller holds under lock:
 * what it read is what is there. In one statement: another one for those that differ in less would
 * cost more than it spares.
 */
export async function saveInstallations(
  tx: Transaction,
  saved: readonly SavedInstallation[],
): Promise<void> {
  if (saved.length === 0) return;
  const parts = PARTS.filter(({ differs }) =>
    saved.some(({ held, next }) => held === null || differs(held, next)),
  );
  const arrays = parts.flatMap((part) => arraysOf(part, saved));
  await tx.unsafe(statementOf(parts), arrays, { prepare: true }).execute();
}

function arraysOf(part: Part, saved: readonly SavedInstallation[]): readonly string[] {
  const rows = saved.map(({ next }) => part.columns(next));
  return Object.keys(part.types).map((name) => arrayText(rows.map((row) => row[name] ?? null)));
}

/**
 * `offset 0` hides the length of the arrays from the planner, as `listOf` does. Only the references
 * are unnested: each array that is costs as much as a few rows before the first row comes.
 */
function statementOf(parts: readonly Part[]): string {
  const types = parts.flatMap((part) => Object.entries(part.types));
  const [, ...assigned] = types.map(([name]) => name);
  const arrays = types.map(([name, type], index) => `$${index + 1}::text::${type}[] as ${name}`);
  return `
    update installation i set ${assigned.map((name) => `${name} = g.${name}[s.place]`).join(', ')}
    from (select ${arrays.join(', ')} offset 0) g,
      unnest(g.installation_ref) with ordinality as s (ref, place)
    where i.installation_ref = s.ref`;
}
