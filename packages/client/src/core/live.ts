import type { TokenInput } from '@homing/protocol';
import type { DeviceFacts, Permission, TokenAnswer } from './ports.ts';
import type { UserProof } from './push-client-options.ts';

/**
 * What this process knows and forgets with its end. A token above all: what the system gave to an
 * earlier process may be another phone's by now.
 */
export interface Live {
  readonly sdkVersion: string;
  readonly accounts: 'one' | 'several';
  /** Null until the system was asked. */
  readonly device: DeviceFacts | null;
  readonly permission: Permission | null;
  readonly token: TokenAnswer | null;
  /** What vouches for users in this process, by their ids; until their logout. */
  readonly proofs: ReadonlyMap<string, UserProof>;
  /** The state that was looked at last, in base64url of its SHA-256. */
  readonly digest: { readonly text: string; readonly sha256: string };
  /** The newest state that this process brought to the server; null until it checked in. */
  readonly acknowledged: string | null;
  /** When that was. */
  readonly acknowledgedAt: number;
  /** The state that was last said to be registered. */
  readonly registered: string | null;
  /** The state that the server called impossible; the same one is not sent again. */
  readonly refused: string | null;
  /** The nonce that lets the next packet have a token which another installation holds. */
  readonly takeover: string | null;
  /** Requests, and questions for proofs, wait until then; in milliseconds since 1970. */
  readonly sendAt: number;
  readonly proveAt: number;
}

/** What a process knows when it begins. */
export const UNKNOWN: Omit<Live, 'sdkVersion' | 'proofs'> = {
  accounts: 'one',
  device: null,
  permission: null,
  token: null,
  digest: { text: '', sha256: '' },
  acknowledged: null,
  acknowledgedAt: 0,
  registered: null,
  refused: null,
  takeover: null,
  sendAt: 0,
  proveAt: 0,
};

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
