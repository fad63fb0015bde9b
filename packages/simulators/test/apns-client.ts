import assert from 'node:assert/strict';
import { randomBytes, sign } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http2';
import { createApnsKey, createCertificateAuthority, startApnsSimulator } from '../src/index.ts';
import type { ApnsKeyPair, ApnsSimulator, ApnsSimulatorOptions } from '../src/index.ts';
import { Http2Client, jsonOf } from './http2-client.ts';
import type { Reply } from './http2-client.ts';

export const TOPIC = 'com.example.parcels';
export const authority = await createCertificateAuthority();
const serverIdentity = await authority.issue(['127.0.0.1', 'localhost']);
export const key = createApnsKey();

/** A simulator with the shared key; every test has its own. */
export function startApns(options: Partial<ApnsSimulatorOptions> = {}): Promise<ApnsSimulator> {
  return startApnsSimulator({
    environment: 'production',
    tls: serverIdentity,
    keys: [key],
    topics: [TOPIC],
    ...options,
  });
}

export function connectTo(
  simulator: ApnsSimulator,
  identity?: { readonly keyPem: string; readonly certificatePem: string },
): Promise<Http2Client> {
  const certificate = identity && { key: identity.keyPem, cert: identity.certificatePem };
  return Http2Client.open(simulator.url, { ca: authority.certificatePem, ...certificate });
}

export interface TokenDraft {
  readonly signer?: ApnsKeyPair;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly encoding?: 'ieee-p1363' | 'der';
}

/** A provider token: right in all respects but those that are overridden. */
export function providerToken(draft: TokenDraft = {}): string {
  const { signer = key, header, claims, encoding = 'ieee-p1363' } = draft;
  const iat = Math.floor(Date.now() / 1000);
  const signed = [
    { alg: 'ES256', kid: signer.keyId, ...header },
    { iss: signer.teamId, iat, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const privateKey = { key: signer.privateKeyPem, dsaEncoding: encoding };
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

export function deviceToken(prefix = ''): string {
  return prefix + randomBytes(32).toString('hex').slice(prefix.length);
}

// One token for most requests: another on the same connection would be an update.
const usualToken = providerToken();

/** Headers of a well-formed alert to a device. */
export function alertHeaders(token: string = deviceToken()): OutgoingHttpHeaders {
  return {
    ':method': 'POST',
    ':path': `/3/device/${token}`,
    authorization: `bearer ${usualToken}`,
    'apns-topic': TOPIC,
    'apns-push-type': 'alert',
  };
}

export const PAYLOAD = JSON.stringify({ aps: { alert: 'Your parcel has shipped.' } });

/** Sends an alert in which some headers are replaced, or left out where they are undefined. */
export function push(
  client: Http2Client,
  headers: OutgoingHttpHeaders = {},
  body: string | Buffer = PAYLOAD,
): Promise<Reply> {
  const merged = Object.entries({ ...alertHeaders(), ...headers });
  return client.send(Object.fromEntries(merged.filter(([, value]) => value !== undefined)), body);
}

export function pushTo(client: Http2Client, token: string): Promise<Reply> {
  return client.send(alertHeaders(token), PAYLOAD);
}

export function assertRefused(reply: Reply, status: number, reason: string): void {
  assert.deepEqual([reply.status, jsonOf(reply).reason], [status, reason]);
}

/** A clock that stands until it is moved. */
export function manualClock() {
  let nowMs = Date.now();
  return {
    read: () => nowMs,
    advance: (byMs: number) => {
      nowMs += byMs;
    },
  };
}
