import assert from 'node:assert';
import { addresseeTag } from '../domain/addressee-tag.ts';
import type { Installation } from '../domain/installation.ts';
import { registrationEvents } from '../domain/registration-events.ts';
import type { DecidedSync, DevicePatch, SyncPacket } from '../domain/registration.ts';
import { appendEvents } from '../store/events.ts';
import { addressColumns } from '../store/installation-row.ts';
import { releaseAddress, TOKEN_CLEARED, updateInstallation } from '../store/installations.ts';
import { closeLink, openLink } from '../store/links.ts';
import { recordProof } from '../store/proofs.ts';
import { reofferDead } from '../store/reoffer.ts';
import { json, type Transaction } from '../store/sql.ts';
import { ensureUser } from '../store/users.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

type Columns = Record<string, unknown>;

/** A packet, what was decided about it, and the customer's id of the user that it names. */
export interface JudgedSync {
  readonly packet: SyncPacket;
  readonly decided: DecidedSync;
  readonly userId: string | null;
}

/**
 * Writes what `decideSync` decided, in the transaction that holds the locks it was decided under.
 */
export async function writeSync(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  judged: JudgedSync,
): Promise<void> {
  const { packet, decided, userId } = judged;
  if (decided.token?.kind === 'hold' && decided.token.displaced !== null) {
    await releaseAddress(tx, decided.token.displaced.ref, context.now);
  }
  const link = await writeLink(tx, context, installation, decided, userId);
  const columns: Columns = {
    ...tokenColumns(installation, decided, context.now),
    ...link.columns,
    ...deviceColumns(decided.device),
    ...markColumns(packet, decided),
    ...contactColumns(installation, context.now),
    ...serverWriteColumns(context, packet, decided),
  };
  if (decided.token?.kind === 'hold' || decided.token?.kind === 'clear' || decided.link !== null) {
    columns['holder_version'] = installation.holderVersion + 1;
  }
  await updateInstallation(tx, installation.ref, columns);
  if (decided.token !== null && installation.failuresInARow > 0) {
    await reofferDead(tx, [installation.ref], context.now);
  }
  const { app, caller, requestId, now } = context;
  const returned =
    installation.dormantSince === null
      ? []
      : [{ installationRef: installation.ref, kind: 'installation.returned' } as const];
  await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
    ...registrationEvents(installation, decided, packet.seq, link.attachedRef),
    ...returned,
  ]);
  await audit(tx, context, installation, judged, link.attachedRef);
}

async function audit(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  { packet, decided }: JudgedSync,
  attachedRef: number | null,
): Promise<void> {
  const { link, holderVersion } = installation;
  await auditWrite(tx, context, {
    action: 'installation.sync',
    subject: `installation/${installation.ref}`,
    before: { user: link?.userRef ?? null, version: holderVersion },
    after: {
      groups: Object.keys(decided.orders),
      token: decided.token?.kind ?? null,
      user: decided.link === null ? (link?.userRef ?? null) : attachedRef,
      fields: Object.keys(packet.device?.patch.facts ?? {}),
    },
  });
}

function tokenColumns(installation: Installation, decided: DecidedSync, now: Date): Columns {
  switch (decided.token?.kind) {
    case undefined:
      return {};
    case 'clear':
      return { ...addressColumns(null), ...TOKEN_CLEARED };
    case 'confirm':
      return {
        ...addressColumns(decided.token.claim.address),
        token_status: installation.token?.status === 'contested' ? 'contested' : 'live',
        token_status_code: null,
        token_status_at: null,
        token_confirmed_at: now,
      };
    case 'hold':
      return {
        ...addressColumns(decided.token.claim.address),
        address_key: decided.token.claim.key,
        token_status: 'live',
        token_status_code: null,
        token_status_at: null,
        token_confirmed_at: now,
        token_changed_at: now,
        failures_in_a_row: 0,
      };
  }
}

interface WrittenLink {
  /** The installation's copy of the link. */
  readonly columns: Columns;
  /** Who is linked from now on; null when nobody was attached. */
  readonly attachedRef: number | null;
}

/** Ends the old link and opens the new one. */
async function writeLink(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  { link }: DecidedSync,
  userId: string | null,
): Promise<WrittenLink> {
  if (link === null) return { columns: {}, attachedRef: null };
  const { app, now } = context;
  if (installation.link !== null) {
    const endedBy = link.kind === 'detach' ? link.endedBy : 'switched';
    await closeLink(tx, installation.ref, endedBy, now);
  }
  if (link.kind === 'detach') {
    const columns = { user_ref: null, linked_at: null, rcpt: null, tags: json({}) };
    return { columns, attachedRef: null };
  }
  assert(userId !== null);
  const { ref: userRef } = await ensureUser(tx, app.ref, userId);
  if (link.jti !== null) await recordProof(tx, app.ref, link.jti, installation.ref, now);
  const rcpt = addresseeTag(installation.secretHash, userId);
  await openLink(tx, {
    appRef: app.ref,
    installationRef: installation.ref,
    userRef,
    exclusive: app.accountMode === 'exclusive',
    startedAt: now,
    rcpt,
    assertedAt: link.assertedAt,
  });
  const inherited = installation.link === null ? {} : { tags: json({}) };
  return {
    columns: { user_ref: userRef, linked_at: now, rcpt, ...inherited },
    attachedRef: userRef,
  };
}

function deviceColumns(patch: DevicePatch | null): Columns {
  if (patch === null) return {};
  const { facts } = patch;
  const columns: Columns = {
    permission: patch.permission,
    platform: facts.platform,
    label: facts.label,
    model: facts.model,
    os_version: facts.osVersion,
    app_version: facts.appVersion,
    sdk_version: facts.sdkVersion,
    locale: facts.locale,
    time_zone: facts.timeZone,
    vendor_id: facts.vendorId,
    client_time: patch.clientTime,
    tags: patch.tags === undefined ? undefined : json(patch.tags ?? {}),
    device_tags: patch.deviceTags === undefined ? undefined : json(patch.deviceTags ?? {}),
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

/** A back end's write has no sequence and moves none. */
function markColumns(packet: SyncPacket, decided: DecidedSync): Columns {
  if (packet.seq === null) return {};
  const columns: Columns = {};
  for (const group of ['token', 'user', 'device'] as const) {
    if (decided.orders[group] !== 'newer') continue;
    columns[`${group}_seq`] = packet.seq;
    columns[`${group}_hash`] = packet[group]?.hash ?? null;
  }
  return columns;
}

/**
 * From now on an assertion has to be newer than the back end's word about the user, or than a
 * logout on the simple routes: proofs are used again and again there, and there is no sequence.
 */
function serverWriteColumns(
  context: RegistryContext,
  packet: SyncPacket,
  decided: DecidedSync,
): Columns {
  const { caller, now } = context;
  const spoke =
    (caller.kind === 'back_end' && packet.user !== undefined) ||
    (caller.kind === 'simple' && decided.link?.kind === 'detach' && packet.user?.named === null);
  return spoke ? { server_write_at: now } : {};
}

function contactColumns(installation: Installation, now: Date): Columns {
  const returned = installation.dormantSince === null ? {} : { dormant_since: null };
  return { ...returned, last_seen_at: now, updated_at: now };
}
