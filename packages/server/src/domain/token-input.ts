import type { Address, ApnsEnvironment, HmsKind } from './address.ts';
import type { AllowedHosts } from './outbound-url.ts';
import { judgeEndpoint } from './push-service.ts';
import { readAuthSecret, readPublicKey } from './web-push-keys.ts';

/** What a client reports as its token, before the app's credentials have filled in the rest. */
export type ReportedToken =
  | {
      readonly provider: 'apns';
      readonly value: string;
      readonly environment?: ApnsEnvironment;
      readonly topic?: string;
    }
  | {
      readonly provider: 'fcm';
      readonly kind?: 'token' | 'fid';
      readonly value: string;
      readonly project?: string;
    }
  | {
      readonly provider: 'webpush';
      readonly endpoint: string;
      readonly keys: { readonly p256dh: string; readonly auth: string };
      /** The VAPID key that the browser subscribed with. */
      readonly application_server_key?: string;
    }
  | { readonly provider: 'expo'; readonly value: string }
  | { readonly provider: 'hms'; readonly kind?: HmsKind; readonly value: string };

/** What the app's credentials know; an address takes its missing parts from the first that fits. */
export interface CredentialFacts {
  readonly provider: Address['provider'];
  readonly project: string;
  readonly environments: readonly ApnsEnvironment[];
  readonly topics: readonly string[];
}

export type AddressResult =
  | {
      readonly kind: 'address';
      readonly address: Address;
      /** The client did not say which VAPID key it subscribed with: the app's newest was taken. */
      readonly assumesKey?: true;
    }
  | { readonly kind: 'invalid'; readonly pointer: string; readonly detail: string };

/** Apple keeps the length open; these bounds only keep out what cannot be a token. */
const APNS_TOKEN = /^(?:[0-9a-f]{2}){16,200}$/;
/** Google keeps the format open; the bound is its own upper limit of 4 KiB. */
const FCM_TOKEN = /^[A-Za-z0-9_:.-]{20,4096}$/;
const FCM_FID = /^[A-Za-z0-9_-]{16,64}$/;
const EXPO_TOKEN = /^(?:ExponentPushToken|ExpoPushToken)\[[^\s[\]]{1,200}\]$/;
const HMS_TOKEN = /^[A-Za-z0-9_\-+/=.:]{20,4096}$/;

const NO_HOSTS: AllowedHosts = new Set();

/**
 * Whether a token says all of its address itself, so that nobody has to read the credentials of the
 * app to complete it: most of the packets that a registry gets repeat such a token.
 */
export function isComplete(token: ReportedToken): boolean {
  switch (token.provider) {
    case 'apns':
      return token.environment !== undefined && token.topic !== undefined;
    case 'fcm':
      return token.project !== undefined;
    case 'webpush':
      return token.application_server_key !== undefined;
    case 'expo':
    case 'hms':
      return true;
  }
}

/**
 * Makes an address of what a client reported. Malformed tokens are refused here, with the field at
 * fault, because a provider would punish them later and tell less. `pushHosts` are push services of
 * the operator's own.
 */
export function toAddress(
  token: ReportedToken,
  credentials: readonly CredentialFacts[],
  pushHosts: AllowedHosts = NO_HOSTS,
): AddressResult {
  switch (token.provider) {
    case 'apns':
      return toApnsAddress(token, credentials);
    case 'fcm':
      return toFcmAddress(token, credentials);
    case 'webpush':
      return toWebPushAddress(token, credentials, pushHosts);
    case 'expo':
      return EXPO_TOKEN.test(token.value)
        ? { kind: 'address', address: { provider: 'expo', token: token.value } }
        : invalid('/value', 'an Expo token looks like ExponentPushToken[…]');
    case 'hms':
      return toHmsAddress(token);
  }
}

/** Old clients print their token as `<0a1b … >`; the digits are what counts. */
export function canonicalApnsToken(value: string): string {
  return value.replaceAll(/[\s<>]/g, '').toLowerCase();
}

export function isApnsToken(canonical: string): boolean {
  return APNS_TOKEN.test(canonical);
}

function toApnsAddress(
  token: Extract<ReportedToken, { provider: 'apns' }>,
  credentials: readonly CredentialFacts[],
): AddressResult {
  const value = canonicalApnsToken(token.value);
  if (!isApnsToken(value)) {
    return invalid('/value', 'an APNs device token is 32 to 400 hex digits, two for each byte');
  }
  const known = credentials.filter(({ provider }) => provider === 'apns');
  const fitting = known.find(
    ({ environments, topics }) =>
      (token.environment === undefined || environments.includes(token.environment)) &&
      (token.topic === undefined || topics.includes(token.topic)),
  );
  const environment = token.environment ?? fitting?.environments[0];
  const topic = token.topic ?? fitting?.topics[0];
  if (environment === undefined) {
    return invalid('/environment', 'say "production" or "sandbox": the app has no APNs credential');
  }
  if (topic === undefined) {
    return invalid('/topic', 'name the bundle id: the app has no APNs credential');
  }
  return { kind: 'address', address: { provider: 'apns', environment, topic, token: value } };
}

function toFcmAddress(
  token: Extract<ReportedToken, { provider: 'fcm' }>,
  credentials: readonly CredentialFacts[],
): AddressResult {
  const kind = token.kind ?? 'token';
  const shape = kind === 'fid' ? FCM_FID : FCM_TOKEN;
  if (!shape.test(token.value)) {
    return invalid('/value', `not an FCM ${kind}: letters, digits and _ : . - only, none missing`);
  }
  const project = token.project ?? credentials.find(({ provider }) => provider === 'fcm')?.project;
  if (project === undefined) {
    return invalid('/project', 'name the Firebase project: the app has no FCM credential');
  }
  return { kind: 'address', address: { provider: 'fcm', kind, project, token: token.value } };
}

function toWebPushAddress(
  token: Extract<ReportedToken, { provider: 'webpush' }>,
  credentials: readonly CredentialFacts[],
  pushHosts: AllowedHosts,
): AddressResult {
  const endpoint = judgeEndpoint(token.endpoint, pushHosts);
  if (endpoint.kind === 'refused') return invalid('/endpoint', `the endpoint ${endpoint.why}`);
  if (endpoint.kind === 'dead') {
    return invalid('/endpoint', 'the browser has removed this subscription; subscribe anew');
  }
  const point = readPublicKey(token.keys.p256dh);
  if (point === null) return invalid('/keys/p256dh', POINT_FORM);
  const secret = readAuthSecret(token.keys.auth);
  if (secret === null) return invalid('/keys/auth', '16 bytes, base64url');
  const vapidKeyId = vapidKeyOf(token, credentials);
  if (vapidKeyId === '') return invalid('/application_server_key', POINT_FORM);
  const address = {
    provider: 'webpush',
    token: token.endpoint,
    p256dh: point.toString('base64url'),
    auth: secret.toString('base64url'),
    vapidKeyId,
  } as const;
  const isAssumed = token.application_server_key === undefined;
  return { kind: 'address', address, ...(isAssumed && { assumesKey: true }) };
}

const POINT_FORM = 'an uncompressed point of P-256, 65 bytes in base64url';

/** Null when nobody knows it; empty for what the client named and is none. */
function vapidKeyOf(
  { application_server_key: named }: Extract<ReportedToken, { provider: 'webpush' }>,
  credentials: readonly CredentialFacts[],
): string | null {
  if (named !== undefined) return readPublicKey(named)?.toString('base64url') ?? '';
  return credentials.find(({ provider }) => provider === 'webpush')?.project ?? null;
}

function toHmsAddress({
  kind = 'android',
  value,
}: Extract<ReportedToken, { provider: 'hms' }>): AddressResult {
  return HMS_TOKEN.test(value)
    ? { kind: 'address', address: { provider: 'hms', kind, token: value } }
    : invalid('/value', 'not a HMS token: 20 to 4096 characters without spaces');
}

function invalid(pointer: string, detail: string): AddressResult {
  return { kind: 'invalid', pointer, detail };
}
