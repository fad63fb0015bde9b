import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Scope } from '../../src/access/scopes.ts';

/** What a path can name. */
export interface RoutePlaces {
  readonly installationId: string;
  readonly userId: string;
  readonly notificationId: string;
  readonly alertId: string;
  readonly reviewId: string;
  readonly audienceId: string;
  /** Of an identity key. */
  readonly keyId: string;
  readonly credentialId: string;
}

/** A route with a request that it takes, and what a secret key needs for it. */
export interface BookedRoute {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** As the OpenAPI document writes it. */
  readonly route: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly scope: Scope;
  /** An installation may call it with its secret and a publishable key. */
  readonly forClients: boolean;
  /** A publishable key alone opens it: for what comes before there is an installation. */
  readonly forPages?: true;
}

const INSTALLATION = '/v1/installations/{installation_id}';
const USER = '/v1/users/{user_id}';
const NOTIFICATION = '/v1/notifications/{notification_id}';
const ALERT = '/v1/alerts/{alert_id}';
const CREDENTIAL = '/v1/app/credentials/{credential_id}';
const REVIEW = '/v1/reviews/{review_id}';
const MESSAGE = { audience: { users: ['nobody'] }, content: { title: 'Hello' } };
const RECEIPT = {
  notification_id: `ntf_${randomUUID().replaceAll('-', '')}`,
  kind: 'opened',
  at: '2026-01-01T00:00:00Z',
};

const { privateKey: ANY_KEY } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ANY_CREDENTIAL = {
  provider: 'apns',
  settings: {
    teamId: 'BOOKEDTEAM',
    keyId: 'BOOKEDKEY1',
    privateKeyPem: ANY_KEY.export({ type: 'pkcs8', format: 'pem' }),
    topics: ['com.acme.booked'],
    environment: 'sandbox',
  },
};

const client = { scope: 'installations:write', forClients: true } as const;
const installations = { scope: 'installations:read', forClients: false } as const;
const readUsers = { scope: 'users:read', forClients: false } as const;
const writeUsers = { scope: 'users:write', forClients: false } as const;
const readCredentials = { scope: 'credentials:read', forClients: false } as const;
const writeCredentials = { scope: 'credentials:write', forClients: false } as const;
const readNotifications = { scope: 'notifications:read', forClients: false } as const;
const writeNotifications = { scope: 'notifications:write', forClients: false } as const;

/** Every route below `/v1`; a test compares the list with the routes that the server has. */
export const ROUTE_BOOK: readonly BookedRoute[] = [
  {
    method: 'PUT',
    route: INSTALLATION,
    body: { seq: 900, device: { label: 'renamed' } },
    ...client,
  },
  { method: 'GET', route: INSTALLATION, ...installations, forClients: true },
  { method: 'DELETE', route: INSTALLATION, ...client },
  { method: 'DELETE', route: `${INSTALLATION}/user`, query: 'seq=900', ...client },
  {
    method: 'DELETE',
    route: `${INSTALLATION}/users/{user_id}`,
    query: 'seq=900',
    ...client,
  },
  {
    method: 'PUT',
    route: `${INSTALLATION}/preferences`,
    query: 'seq=900',
    body: { mode: 'off' },
    ...client,
  },
  {
    method: 'PUT',
    route: `${INSTALLATION}/topics/{topic}`,
    query: 'seq=900',
    body: { scope: 'device' },
    ...client,
  },
  { method: 'DELETE', route: `${INSTALLATION}/topics/{topic}`, query: 'seq=901', ...client },
  {
    method: 'PUT',
    route: `${INSTALLATION}/purpose-tokens/{purpose}`,
    query: 'seq=900',
    body: { value: '0b'.repeat(32) },
    ...client,
  },
  {
    method: 'DELETE',
    route: `${INSTALLATION}/purpose-tokens/{purpose}`,
    query: 'seq=901',
    ...client,
  },
  { method: 'POST', route: `${INSTALLATION}/receipts`, body: { receipts: [RECEIPT] }, ...client },
  { method: 'GET', route: `${INSTALLATION}/timeline`, ...installations },
  { method: 'GET', route: '/v1/installations', ...installations },
  { method: 'GET', route: '/v1/audiences/{audience_id}', ...readNotifications },
  { method: 'GET', route: '/v1/reviews', ...installations },
  { method: 'POST', route: '/v1/reviews', scope: 'installations:write', forClients: false },
  { method: 'GET', route: REVIEW, ...installations },
  {
    method: 'POST',
    route: `${REVIEW}/apply`,
    body: { dormant: 0 },
    scope: 'installations:write',
    forClients: false,
  },
  { method: 'GET', route: '/v1/app', scope: 'app:read', forClients: false },
  {
    method: 'GET',
    route: '/v1/app/vapid-key',
    scope: 'app:read',
    forClients: false,
    forPages: true,
  },
  { method: 'GET', route: '/v1/app/identity-keys', scope: 'app:read', forClients: false },
  {
    method: 'POST',
    route: '/v1/app/identity-keys',
    body: { kid: 'booked', secret: 's'.repeat(43) },
    scope: 'app:write',
    forClients: false,
  },
  {
    method: 'DELETE',
    route: '/v1/app/identity-keys/{kid}',
    scope: 'app:write',
    forClients: false,
  },
  { method: 'PATCH', route: '/v1/app', body: {}, scope: 'app:write', forClients: false },
  { method: 'GET', route: '/v1/app/credentials', ...readCredentials },
  { method: 'POST', route: '/v1/app/credentials', body: ANY_CREDENTIAL, ...writeCredentials },
  {
    method: 'POST',
    route: '/v1/app/credentials/verify',
    body: ANY_CREDENTIAL,
    ...writeCredentials,
  },
  { method: 'GET', route: CREDENTIAL, ...readCredentials },
  { method: 'PATCH', route: CREDENTIAL, body: { name: 'booked' }, ...writeCredentials },
  { method: 'POST', route: `${CREDENTIAL}/verify`, ...writeCredentials },
  { method: 'DELETE', route: CREDENTIAL, ...writeCredentials },
  { method: 'GET', route: USER, ...readUsers },
  { method: 'GET', route: `${USER}/export`, ...readUsers },
  { method: 'GET', route: `${USER}/timeline`, ...readUsers },
  { method: 'PUT', route: USER, body: { locale: 'de-CH' }, ...writeUsers },
  { method: 'DELETE', route: USER, ...writeUsers },
  { method: 'POST', route: `${USER}/revoke`, body: {}, ...writeUsers },
  { method: 'PUT', route: `${USER}/topics/{topic}`, ...writeUsers },
  { method: 'DELETE', route: `${USER}/topics/{topic}`, ...writeUsers },
  { method: 'POST', route: '/v1/notifications', body: MESSAGE, ...writeNotifications },
  { method: 'POST', route: '/v1/notifications/validate', body: MESSAGE, ...writeNotifications },
  { method: 'GET', route: NOTIFICATION, ...readNotifications },
  { method: 'GET', route: `${NOTIFICATION}/deliveries`, ...readNotifications },
  {
    method: 'GET',
    route: `${NOTIFICATION}/explain`,
    query: 'user_id=nobody',
    ...readNotifications,
  },
  { method: 'POST', route: `${NOTIFICATION}/pause`, ...writeNotifications },
  { method: 'POST', route: `${NOTIFICATION}/resume`, ...writeNotifications },
  { method: 'POST', route: `${NOTIFICATION}/cancel`, ...writeNotifications },
  {
    method: 'POST',
    route: '/v1/audiences',
    body: '{"user":"nobody"}',
    headers: { 'content-type': 'application/x-ndjson' },
    ...writeNotifications,
  },
  { method: 'GET', route: '/v1/alerts', scope: 'alerts:read', forClients: false },
  { method: 'POST', route: `${ALERT}/close`, scope: 'alerts:write', forClients: false },
];

/** What needs no key, because it says the same to everybody. */
export const OPEN_ROUTES: readonly string[] = ['GET /v1/reasons'];

/** The path of a booked route for some places, with its query. */
export function pathOf(booked: BookedRoute, places: RoutePlaces): string {
  const path = booked.route
    .replace('{installation_id}', places.installationId)
    .replace('{user_id}', places.userId)
    .replace('{notification_id}', places.notificationId)
    .replace('{alert_id}', places.alertId)
    .replace('{review_id}', places.reviewId)
    .replace('{audience_id}', places.audienceId)
    .replace('{kid}', places.keyId)
    .replace('{credential_id}', places.credentialId)
    .replace('{topic}', 'news')
    .replace('{purpose}', 'voip');
  return booked.query === undefined ? path : `${path}?${booked.query}`;
}

/** Places that nobody ever made. */
export function unknownPlaces(): RoutePlaces {
  return {
    installationId: randomUUID(),
    userId: `unknown-${randomUUID()}`,
    notificationId: `ntf_${randomUUID().replaceAll('-', '')}`,
    alertId: `alr_${randomUUID().replaceAll('-', '')}`,
    reviewId: `rev_${randomUUID().replaceAll('-', '')}`,
    audienceId: `aud_${randomUUID().replaceAll('-', '')}`,
    keyId: `key-${randomUUID()}`,
    credentialId: `crd_${randomUUID().replaceAll('-', '')}`,
  };
}
