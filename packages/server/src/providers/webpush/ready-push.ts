import assert from 'node:assert/strict';
import type { Http2Request } from '@homing/h2';
import type { WebPushAddress } from '../../domain/address.ts';
import type { AllowedHosts } from '../../domain/outbound-url.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { judgeEndpoint, type PushEndpoint } from '../../domain/push-service.ts';
import type { Push } from '../../domain/push.ts';
import { readAuthSecret, readPoint } from '../../domain/web-push-keys.ts';
import { problemOutcome } from '../payload-problem.ts';
import type { PlainMessage } from './message-encryption.ts';
import { paddedBytesOf } from './padding.ts';
import { buildWebPush, type WebPushBuild } from './payload.ts';
import { shapeOf } from './request-shape.ts';

/** A push that can be encrypted and sent. */
export interface ReadyPush {
  readonly plain: Extract<WebPushBuild, { readonly kind: 'plain' }>;
  readonly endpoint: PushEndpoint;
  readonly message: PlainMessage;
}

export interface ReadySurroundings {
  /** Of the credential. */
  readonly publicKey: string;
  readonly ownHosts: AllowedHosts;
  readonly now: Date;
}

/** What can be known of a push before anything is encrypted: it is ready, or what came of it. */
export function makeReady(
  push: Push,
  { publicKey, ownHosts, now }: ReadySurroundings,
): ReadyPush | Outcome {
  const { address } = push;
  assert(address.provider === 'webpush', 'a push reaches the provider of its address');
  // A push service would say the same of any other key, and hold it against ours.
  if (address.vapidKeyId !== publicKey) return OTHER_KEY;
  const endpoint = judgeEndpoint(address.token, ownHosts);
  if (endpoint.kind === 'dead') return REMOVED;
  if (endpoint.kind === 'refused') return NOT_ALLOWED;
  const plain = buildWebPush(push, now);
  if (plain.kind === 'problem') return problemOutcome(plain);
  const message = messageFor(address, plain.plaintext);
  return message === null ? UNREADABLE : { plain, endpoint, message };
}

/** The request of an encrypted push, without its `authorization`. */
export function toRequest({ plain, endpoint }: ReadyPush, body: Buffer): Http2Request {
  const { ttlSeconds, urgency, topic } = plain;
  const { path, service } = endpoint;
  const cachePolicy = service !== 'wns' ? null : ttlSeconds === 0 ? 'no-cache' : 'cache';
  const shape = shapeOf(urgency, cachePolicy);
  return { shape, path, values: [String(ttlSeconds), topic], body };
}

const REMOVED: Outcome = {
  kind: 'token_dead',
  code: 'permanently-removed.invalid',
  status: null,
  since: null,
};

/** It was allowed when it was registered, so a person may want to allow it again. */
const NOT_ALLOWED: Outcome = { kind: 'unclassified', code: 'endpoint_not_allowed', status: null };

const OTHER_KEY: Outcome = { kind: 'token_mismatch', code: 'key_not_configured', status: null };

/** Its browser could not read what is encrypted for it. */
export const UNREADABLE: Outcome = { kind: 'token_mismatch', code: 'unusable_keys', status: null };

function messageFor(address: WebPushAddress, plaintext: Buffer): PlainMessage | null {
  const [p256dh, auth] = [readPoint(address.p256dh), readAuthSecret(address.auth)];
  if (p256dh === null || auth === null) return null;
  return { plaintext, paddedBytes: paddedBytesOf(plaintext.length), p256dh, auth };
}
