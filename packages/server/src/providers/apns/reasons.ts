import type { Outcome } from '../../domain/outcome.ts';
import { fieldValue, type Http2Answer } from '@homing/h2';
import { parseJsonObject } from '../json-object.ts';
import { findReason, toOutcome } from '../reason.ts';
import type { Reason, ReasonAction, ReasonTable } from '../reason.ts';
import { parseRetryAfterMs } from '../retry-after.ts';

function payload(meaning: string): Reason {
  return { kind: 'payload', action: 'report', meaning };
}

function mismatch(meaning: string): Reason {
  return { kind: 'token_mismatch', action: 'report', meaning };
}

function dead(meaning: string): Reason {
  return { kind: 'token_dead', action: 'report', meaning };
}

function transient(meaning: string, action: ReasonAction = 'report'): Reason {
  return { kind: 'transient', action, meaning };
}

function auth(meaning: string, action: ReasonAction = 'report'): Reason {
  return { kind: 'auth', scope: 'credential', action, meaning };
}

/**
 * Every refusal that APNs is known to give, from Apple's "Handling notification responses from
 * APNs", together with what has been seen on the wire only.
 */
export const REASONS = {
  '400 BadCollapseId': payload('the collapse id is longer than 64 bytes'),
  '400 BadExpirationDate': payload('the expiration is not a whole number'),
  '400 BadMessageId': payload('the apns-id is not a canonical UUID'),
  '400 BadPriority': payload('the priority is not 10, 5 or 1, or not one for this push type'),
  '400 DuplicateHeaders': payload('a header was repeated'),
  '400 InvalidPushType': payload('the push type is not a known one'),
  '400 MissingDeviceToken': payload('the path has no device token'),
  '400 MissingTopic': payload('the topic is missing'),
  '400 PayloadEmpty': payload('the body is empty'),
  // Malformed, or a good token of the other environment: the answer is the same for both, so it
  // must not kill the token.
  '400 BadDeviceToken': mismatch('the token is malformed or of the other environment'),
  '400 DeviceTokenNotForTopic': mismatch('the token belongs to another bundle id'),
  '400 BadTopic': mismatch('the topic is malformed'),
  '400 TopicDisallowed': {
    kind: 'auth',
    scope: 'topic',
    action: 'report',
    meaning: 'the key may not push to this topic',
  },
  '400 IdleTimeout': transient('the connection was idle for too long', 'reconnect'),
  '403 BadCertificate': auth('the certificate is invalid'),
  '403 BadCertificateEnvironment': auth('the certificate is for the other environment'),
  // A connection that has seen an expired token keeps refusing, so the renewal reconnects as well.
  '403 ExpiredProviderToken': auth('the provider token is older than an hour', 'renew_token'),
  '403 Forbidden': auth('the key may not do this'),
  '403 InvalidProviderToken': auth('wrong key id, team id or signature, or the key was revoked'),
  '403 MissingProviderToken': auth('the authorization header is missing'),
  '403 UnrelatedKeyIdInToken': auth('the connection is bound to an unrelated key', 'reconnect'),
  '403 BadEnvironmentKeyIdInToken': auth('the key is for the other environment'),
  '403 BadEnvironmentKeyInToken': auth('the key is for the other environment'),
  '404 BadPath': payload('the path is wrong'),
  '405 MethodNotAllowed': payload('the method is not POST'),
  '410 Unregistered': dead('the app was removed or its token replaced'),
  '410 ExpiredToken': dead('the token has expired'),
  '413 PayloadTooLarge': payload('the payload is larger than 4096 bytes'),
  '429 TooManyProviderTokenUpdates': {
    kind: 'throttled',
    scope: 'credential',
    action: 'report',
    meaning: 'the provider token changed more than once in 20 minutes',
  },
  '429 TooManyRequests': {
    kind: 'throttled',
    scope: 'token',
    action: 'report',
    meaning: 'too many pushes to the same device',
  },
  '500 InternalServerError': transient('an error inside APNs'),
  '503 ServiceUnavailable': transient('APNs is overloaded or down'),
  '503 Shutdown': transient('this APNs server is shutting down', 'reconnect'),
  '400 *': payload('an unknown reason with status 400'),
  '403 *': auth('an unknown reason with status 403'),
  '410 *': dead('an unknown reason with status 410'),
  '429 *': {
    kind: 'throttled',
    scope: 'credential',
    action: 'report',
    meaning: 'an unknown reason with status 429',
  },
  '5xx *': transient('an unknown reason with a status of 500 or above'),
} as const satisfies ReasonTable;

/** Seconds would be below this until the year 33658, milliseconds are above it since 2001. */
const EARLIEST_PLAUSIBLE_MS = 1e12;

/** What to do about a refusal, and the outcome that it is if that does not help. */
export interface ApnsRefusal {
  readonly action: ReasonAction;
  readonly outcome: Outcome;
}

function deadSince(timestamp: unknown): Date | null {
  if (typeof timestamp !== 'number' || timestamp <= EARLIEST_PLAUSIBLE_MS) return null;
  const since = new Date(timestamp);
  return Number.isNaN(since.getTime()) ? null : since;
}

/** Classifies any answer but 200. Never throws, whatever the body is. */
export function classifyRefusal(answer: Http2Answer, now: Date): ApnsRefusal {
  const body = parseJsonObject(answer.body);
  const code = typeof body?.['reason'] === 'string' ? body['reason'] : String(answer.status);
  const reason = findReason(REASONS, answer.status, code);
  const outcome = toOutcome(reason, {
    status: answer.status,
    code,
    detail: reason.meaning,
    retryAfterMs: parseRetryAfterMs(fieldValue(answer.fields, 'retry-after'), now),
    since: deadSince(body?.['timestamp']),
  });
  return { action: reason.action, outcome };
}
