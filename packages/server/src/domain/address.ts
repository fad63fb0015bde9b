/** The providers whose addresses the registry can hold. */
export const PROVIDERS = ['apns', 'fcm', 'webpush', 'expo', 'hms'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

export type ApnsEnvironment = 'production' | 'sandbox';

/** An APNs device token works in exactly one environment and for one topic (bundle id). */
export interface ApnsAddress {
  readonly provider: 'apns';
  readonly environment: ApnsEnvironment;
  readonly topic: string;
  readonly token: string;
}

/** An FCM target: a registration token, or a Firebase installation id (`fid`), of one project. */
export interface FcmAddress {
  readonly provider: 'fcm';
  readonly kind: 'token' | 'fid';
  readonly project: string;
  readonly token: string;
}

/** A Web Push subscription as the browser hands it out (W3C Push API). */
export interface WebPushAddress {
  readonly provider: 'webpush';
  readonly token: string;
  readonly p256dh: string;
  readonly auth: string;
  /** The VAPID key that it is bound to: the public one itself, in base64url; null for unknown. */
  readonly vapidKeyId: string | null;
}

export interface ExpoAddress {
  readonly provider: 'expo';
  readonly token: string;
}

/** HarmonyOS NEXT and later have tokens that only an API of their own takes. */
export const HMS_KINDS = ['android', 'harmony'] as const;
export type HmsKind = (typeof HMS_KINDS)[number];

export interface HmsAddress {
  readonly provider: 'hms';
  readonly kind: HmsKind;
  readonly token: string;
}

/**
 * Where a provider finds one installation. `token` is opaque and never ordered or judged by length.
 */
export type Address = ApnsAddress | FcmAddress | WebPushAddress | ExpoAddress | HmsAddress;
