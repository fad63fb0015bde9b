import type { Address } from './address.ts';
import type { FieldGroup, GroupMark } from './ordering.ts';

export const PERMISSIONS = ['granted', 'provisional', 'ephemeral', 'denied', 'default'] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const TOKEN_STATUSES = ['live', 'quarantined', 'contested', 'retired'] as const;
export type TokenStatus = (typeof TOKEN_STATUSES)[number];

/** Facts that a device reports about itself; none of them authenticates anything. */
export interface DeviceFacts {
  readonly platform: string | null;
  readonly label: string | null;
  readonly model: string | null;
  readonly osVersion: string | null;
  readonly appVersion: string | null;
  readonly sdkVersion: string | null;
  readonly locale: string | null;
  readonly timeZone: string | null;
  readonly vendorId: string | null;
}

/** Of a device of which nothing is known. */
export const NO_DEVICE: DeviceFacts = {
  platform: null,
  label: null,
  model: null,
  osVersion: null,
  appVersion: null,
  sdkVersion: null,
  locale: null,
  timeZone: null,
  vendorId: null,
};

/** What a device prefers, whoever is signed in. */
export interface DevicePreferences {
  readonly mode: 'on' | 'off' | 'only_this_device';
  readonly mutedUntil: Date | null;
  readonly categories: Readonly<Record<string, boolean>>;
}

/** The status code of a live token whose environment a probe has put right. */
export const OTHER_ENVIRONMENT = 'other_environment';

export interface HeldToken {
  readonly address: Address;
  readonly key: Buffer;
  readonly status: TokenStatus;
  readonly statusCode: string | null;
  readonly statusAt: Date | null;
  readonly confirmedAt: Date;
  readonly changedAt: Date;
  /** The key of what it took the place of on this installation; null for a first one. */
  readonly formerKey: Buffer | null;
  /** It had been there before that one. */
  readonly isReturned: boolean;
}

/** What the system of a device calls its failure to give a token. */
export interface TokenError {
  readonly code: string;
  readonly detail: string | null;
}

/** A user who is signed in. */
export interface OpenLink {
  readonly userRef: number;
  /** The customer's own id. */
  readonly userId: string;
  readonly linkedAt: Date;
  /** When the proof was issued; null where a back end's word was enough. */
  readonly assertedAt: Date | null;
  readonly rcpt: string | null;
}

/** One install of an app on one device or browser profile, as the registry holds it. */
export interface Installation {
  readonly ref: number;
  readonly appRef: number;
  readonly id: string;
  readonly secretHash: Buffer | null;
  readonly token: HeldToken | null;
  /** Who is signed in, in the order of their logins; at most one in an exclusive app. */
  readonly links: readonly OpenLink[];
  /** Bumped by every change of token or user. */
  readonly holderVersion: number;
  readonly serverWriteAt: Date | null;
  readonly marks: Readonly<Record<FieldGroup, GroupMark>>;
  /** That of the last packet that said who is signed in; null before any with a sequence. */
  readonly namedSeq: number | null;
  /** The highest sequence that any topic was changed under. */
  readonly topicsSeq: number | null;
  /** Why the device's system gives it no token, as the device says; null where it says nothing. */
  readonly tokenError: TokenError | null;
  readonly permission: Permission | null;
  readonly device: DeviceFacts;
  /** The device's own clock with its last report; for support, orders nothing. */
  readonly clientTime: Date | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly deviceTags: Readonly<Record<string, string>>;
  readonly preferences: DevicePreferences;
  readonly dormantSince: Date | null;
  readonly removedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastSeenAt: Date;
  readonly lastFailure: { readonly code: string; readonly at: Date } | null;
  readonly failuresInARow: number;
}

export const DEFAULT_PREFERENCES: DevicePreferences = {
  mode: 'on',
  mutedUntil: null,
  categories: {},
};

export const INSTALLATION_STATUSES = [
  'removed',
  'retired',
  'contested',
  'quarantined',
  'permission_denied',
  'muted',
  'dormant',
  'signed_out',
  'active',
] as const;
export type InstallationStatus = (typeof INSTALLATION_STATUSES)[number];

/** The one word for an installation, by the first row of this table that applies. */
const STATUS_TABLE: readonly (readonly [
  InstallationStatus,
  (installation: Installation, now: Date) => boolean,
])[] = [
  ['removed', (i) => i.removedAt !== null],
  ['retired', (i) => i.token === null || i.token.status === 'retired'],
  ['contested', (i) => i.token?.status === 'contested'],
  ['quarantined', (i) => i.token?.status === 'quarantined'],
  ['permission_denied', (i) => i.permission === 'denied'],
  ['muted', (i, now) => isMuted(i.preferences, now)],
  ['dormant', (i) => i.dormantSince !== null],
  ['signed_out', (i) => i.links.length === 0],
];

export function installationStatus(installation: Installation, now: Date): InstallationStatus {
  return STATUS_TABLE.find(([, applies]) => applies(installation, now))?.[0] ?? 'active';
}

export function isMuted(preferences: DevicePreferences, now: Date): boolean {
  if (preferences.mode === 'off') return true;
  return preferences.mutedUntil !== null && preferences.mutedUntil > now;
}
