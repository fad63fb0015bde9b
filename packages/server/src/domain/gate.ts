import type { Address } from './address.ts';
import type { DeliveryState, Recipient, SkipReason } from './delivery.ts';
import {
  isMuted,
  type DevicePreferences,
  type Permission,
  type TokenStatus,
} from './installation.ts';
import type { Lane } from './notification.ts';
import type { PurposeTarget } from './purpose.ts';

/**
 * The current rows behind one delivery, read on the primary in the statement that marks the slice.
 */
export interface GateRow extends Recipient {
  readonly address: Address | null;
  readonly tokenStatus: TokenStatus | null;
  /** The delivery's own user, if still signed in. */
  readonly ownerRef: number | null;
  readonly ownerId: string | null;
  readonly rcpt: string | null;
  /** Others may be signed in beside that user. */
  readonly isShared: boolean;
  readonly holderVersion: number;
  /** Since when it has this token, where a provider's word on a young one is doubted; else null. */
  readonly tokenChangedAt: Date | null;
  readonly permission: Permission | null;
  readonly preferences: DevicePreferences;
  readonly userCategories: Readonly<Record<string, boolean>>;
  readonly locale: string | null;
  readonly sdkVersion: string | null;
  /** The credential that serves the address now. */
  readonly credentialRef: number | null;
  readonly newerSent: boolean;
  readonly isDormant: boolean;
  /** Attempts at this token have failed since the last one that was accepted. */
  readonly isFailing: boolean;
  /** The user said "only this device" on another one, where the user is signed in as well. */
  readonly chosenElsewhere: boolean;
  /** What the ledger says already; null when nothing was settled. */
  readonly settledState: DeliveryState | null;
  readonly settledReason: string;
  /** The chunk in which a `retrying` delivery is offered again; null for every other. */
  readonly offeredInChunk: number | null;
  readonly attempts: number;
  readonly firstSentAt: Date | null;
  readonly possibleDuplicate: boolean;
}

export interface GateNotification {
  readonly lane: Lane;
  /** The app's word on whether dormant installations get what is not a campaign. */
  readonly dormantGetTransactional: boolean;
  readonly silent: boolean;
  readonly purpose: PurposeTarget | null;
  readonly category: string;
  readonly expiresAt: Date;
}

export interface GateChunk {
  readonly ref: number;
  readonly credentialRef: number;
  readonly cancelled: boolean;
}

/**
 * - `send`: the push may start, for one second from now.
 * - `skip`, `expired`: settled without an attempt.
 * - `moved`: another lane serves the installation now.
 * - `settled`: a predecessor finished this delivery before it lost its lease.
 */
export type GateVerdict =
  | { readonly kind: 'send'; readonly address: Address }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'expired' | 'moved' | 'settled' };

/**
 * Rule R7: whether a delivery may leave, by what is true now and not by what was true on
 * acceptance.
 */
export function judge(
  row: GateRow,
  notification: GateNotification,
  chunk: GateChunk,
  now: Date,
): GateVerdict {
  if (isSettled(row, chunk)) return { kind: 'settled' };
  if (notification.expiresAt <= now) return { kind: 'expired' };
  const reason = skipReason(row, notification, chunk, now);
  if (reason !== null) return { kind: 'skip', reason };
  if (row.address === null) return { kind: 'skip', reason: 'no_token' };
  if (row.credentialRef === null) return { kind: 'skip', reason: 'no_credential' };
  if (row.credentialRef !== chunk.credentialRef) return { kind: 'moved' };
  return { kind: 'send', address: row.address };
}

function isSettled(row: GateRow, chunk: GateChunk): boolean {
  if (row.settledState === null) return false;
  // A delivery that is retried stands in the ledger as `retrying`, with the chunk that offers it.
  // Once this chunk has settled it, that is not this chunk any more, whatever the state is then.
  return !(row.settledState === 'retrying' && row.offeredInChunk === chunk.ref);
}

function skipReason(
  row: GateRow,
  notification: GateNotification,
  chunk: GateChunk,
  now: Date,
): SkipReason | null {
  if (chunk.cancelled) return 'cancelled';
  // Of one notification some deliveries may be bound to users and others to nobody.
  const isUserBound = row.userRef !== 0;
  if (isUserBound && row.ownerRef !== row.userRef) return 'owner_changed';
  if (row.address === null || row.tokenStatus === null || row.tokenStatus === 'retired') {
    return 'no_token';
  }
  if (row.tokenStatus === 'quarantined') return 'quarantined';
  if (row.tokenStatus === 'contested' && isUserBound) return 'contested';
  if (row.newerSent) return 'newer_sent';
  if (row.isDormant && leavesOutDormant(notification)) return 'dormant';
  // A silent push shows nothing, so nothing that is about showing stops it.
  return notification.silent ? null : quietReason(row, notification, now);
}

/** Campaigns leave dormant installations out; whether anything reaches them is the app's choice. */
function leavesOutDormant(
  notification: Pick<GateNotification, 'lane' | 'dormantGetTransactional'>,
): boolean {
  return notification.lane === 'bulk' || !notification.dormantGetTransactional;
}

function quietReason(
  row: GateRow,
  { category, purpose }: Pick<GateNotification, 'category' | 'purpose'>,
  now: Date,
): SkipReason | null {
  // Calls and Live Activities are allowed by other switches; without them there is no token.
  if (row.permission === 'denied' && purpose === null) return 'permission_denied';
  if (isMuted(row.preferences, now) || row.chosenElsewhere) return 'muted';
  const onDevice = row.preferences.categories[category];
  // Off on the device beats on for the user.
  if (onDevice === false || row.userCategories[category] === false) return 'opted_out';
  return null;
}
