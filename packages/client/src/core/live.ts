import type { TokenInput } from '@homing/protocol';
import type { DeviceFacts, Permission, TokenAnswer } from './ports.ts';

/**
 * What this process knows and forgets with its end. A token above all: what the system gave to an
 * earlier process may be another phone's by now.
 */
export interface Live {
  /** Null until the system was asked. */
  readonly device: DeviceFacts | null;
  readonly permission: Permission | null;
  readonly token: TokenAnswer | null;
  /** Users whom somebody can vouch for in this process. */
  readonly vouched: ReadonlySet<string>;
  /** The newest state that this process brought to the server; null until it checked in. */
  readonly acknowledged: string | null;
  /** When that was. */
  readonly acknowledgedAt: number;
  /** The state that the server called impossible; the same one is not sent again. */
  readonly refused: string | null;
  /** The nonce that lets the next packet have a token which another installation holds. */
  readonly takeover: string | null;
  /** Requests, and questions for proofs, wait until then; in milliseconds since 1970. */
  readonly sendAt: number;
  readonly proveAt: number;
}

export const UNKNOWN: Live = {
  device: null,
  permission: null,
  token: null,
  vouched: new Set(),
  acknowledged: null,
  acknowledgedAt: 0,
  refused: null,
  takeover: null,
  sendAt: 0,
  proveAt: 0,
};

/** A process that lives for long checks in again, as often as the server keeps note of it. */
const CHECK_IN_MS = 6 * 3_600_000;

/** Forgets what the server acknowledged long ago. */
export function withoutOldCheckIn(live: Live, now: number): Live {
  return now - live.acknowledgedAt < CHECK_IN_MS ? live : { ...live, acknowledged: null };
}

/** Whether pushes may be shown, if only silently; without that no token is asked for. */
export function isAllowed(permission: Permission | null): boolean {
  return permission !== null && !['denied', 'default'].includes(permission);
}

export type KnownToken = TokenInput | null | 'unchanged' | 'awaited';

/**
 * What a packet says of the token. `unchanged` where the system failed to give one: the one that
 * the server holds may still be good.
 */
export function tokenOf({ permission, token }: Live, isUnsubscribed: boolean): KnownToken {
  if (isUnsubscribed || !isAllowed(permission)) return null;
  if (token === null) return 'awaited';
  return token.kind === 'token' ? token.token : 'unchanged';
}
