import type { Exchange, ReceivedBody } from '../exchange.ts';
import type { Personality } from './personality.ts';
import type { WebPushProblem } from './problem.ts';
import type { Vapid } from './vapid.ts';

/** A push message request (RFC 8030 section 5) as it came, read but not judged. */
export interface WebPushRequest {
  readonly method: string;
  readonly path: string;
  /** Null when the path is not that of a subscription. */
  readonly subscriptionId: string | null;
  /** The service's own origin, for which alone VAPID tokens are valid. */
  readonly origin: string;
  /** What the authorization header holds, or why it holds nothing that can be believed. */
  readonly vapid: Vapid | WebPushProblem;
  readonly ttl: string | null;
  readonly urgency: string | null;
  readonly topic: string | null;
  readonly contentEncoding: string | null;
  readonly cachePolicy: string | null;
  readonly body: Buffer;
  /** Larger than `body` when that was cut off. */
  readonly bodyBytes: number;
  readonly nowMs: number;
}

/** One rule; what it finds wrong, or null. */
export type Check = (request: WebPushRequest) => WebPushProblem | null;

/** Where a request arrived, beside what it says itself. */
export interface Reader {
  readonly personality: Personality;
  readonly origin: string;
  readonly nowMs: number;
  readonly readVapid: (authorization: string | undefined) => Vapid | WebPushProblem;
}

const URGENCIES = new Set(['very-low', 'low', 'normal', 'high']);
const TTL = /^\d{1,10}$/;
const NEGATIVE = /^-\d+$/;
const MAX_TOKEN_LIFETIME_SECONDS = 24 * 60 * 60;
/** RFC 8030 section 5.2 lets a service treat larger values as this one. */
const MAX_TTL_SECONDS = 2 ** 31;

/** How much of a body can matter: more than the largest that any service takes. */
export const WEB_PUSH_BODY_LIMIT_BYTES = 16 * 1024;

// The services do not say in which order they look. This is ours for all of them.
const SHARED_CHECKS: readonly Check[] = [
  ({ subscriptionId }) => (subscriptionId === null ? 'bad_path' : null),
  ({ method }) => (method === 'POST' ? null : 'bad_method'),
  ({ vapid }) => (typeof vapid === 'string' ? vapid : null),
  checkClaims,
  checkTtl,
  ({ urgency }) => (urgency === null || URGENCIES.has(urgency) ? null : 'urgency_invalid'),
  checkEncoding,
];

/** Reads a request without judging it; what is absent is null. */
export function readWebPushRequest(
  { method, path, headers }: Exchange,
  body: ReceivedBody,
  { personality, origin, nowMs, readVapid }: Reader,
): WebPushRequest {
  return {
    method,
    path,
    subscriptionId: personality.idOf(path),
    origin,
    vapid: readVapid(headers.authorization),
    ttl: only(headers['ttl']),
    urgency: only(headers['urgency']),
    topic: only(headers['topic']),
    contentEncoding: headers['content-encoding'] ?? null,
    cachePolicy: only(headers['x-wns-cache-policy']),
    body: body.bytes,
    bodyBytes: body.length,
    nowMs,
  };
}

/** The first thing that is wrong with a request; null when nothing is. */
export function findProblem(
  request: WebPushRequest,
  { checks, topicPattern, maxBodyBytes }: Personality,
): WebPushProblem | null {
  for (const check of [...SHARED_CHECKS, ...checks]) {
    const problem = check(request);
    if (problem !== null) return problem;
  }
  if (request.topic !== null && !topicPattern.test(request.topic)) return 'topic_invalid';
  return request.bodyBytes > maxBodyBytes ? 'too_large' : null;
}

/** The TTL of an examined request. */
export function ttlSecondsOf({ ttl }: WebPushRequest): number {
  return Math.min(Number(ttl), MAX_TTL_SECONDS);
}

/** RFC 8292 section 2: for this origin, not expired, and not valid for more than 24 hours. */
function checkClaims({ vapid, origin, nowMs }: WebPushRequest): WebPushProblem | null {
  if (typeof vapid === 'string') return vapid;
  const { aud, exp } = vapid.claims;
  if (aud !== origin) return 'audience_invalid';
  // A string here is what most libraries let pass and no service does.
  if (typeof exp !== 'number' || !Number.isInteger(exp)) return 'token_malformed';
  const lifetimeSeconds = exp - nowMs / 1000;
  if (lifetimeSeconds <= 0) return 'expiry_invalid';
  return lifetimeSeconds > MAX_TOKEN_LIFETIME_SECONDS ? 'expiry_too_long' : null;
}

function checkTtl({ ttl }: WebPushRequest): WebPushProblem | null {
  if (ttl === null) return 'ttl_missing';
  if (TTL.test(ttl)) return null;
  return NEGATIVE.test(ttl) ? 'ttl_negative' : 'ttl_invalid';
}

/** A message without a body needs no encoding, for nothing is encrypted (RFC 8291 section 4). */
function checkEncoding({ contentEncoding, bodyBytes }: WebPushRequest): WebPushProblem | null {
  if (bodyBytes === 0) return null;
  if (contentEncoding === null) return 'encoding_missing';
  return contentEncoding === 'aes128gcm' ? null : 'encoding_unknown';
}

/** A header that came twice is joined, and no rule accepts the result. */
function only(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : value.join(', ');
}
