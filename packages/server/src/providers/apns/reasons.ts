import type { Outcome, OutcomeScope, TokenDoubt } from '../../domain/outcome.ts';
import { fieldValue, type Http2Answer } from '@homing/h2';
import { parseJsonObject } from '../json-object.ts';
import { findReason, toOutcome } from '../reason.ts';
import type { Reason, ReasonAction, ReasonTable } from '../reason.ts';
import { parseRetryAfterMs } from '../retry-after.ts';

function payload(meaning: string, fix: string): Reason {
  return { kind: 'payload', action: 'report', meaning, fix };
}

function mismatch(meaning: string, fix: string, doubt: TokenDoubt | null = null): Reason {
  const reason = { kind: 'token_mismatch', action: 'report', meaning, fix } as const;
  return doubt === null ? reason : { ...reason, doubt };
}

function dead(meaning: string, fix: string): Reason {
  return { kind: 'token_dead', action: 'report', meaning, fix };
}

function transient(meaning: string, fix: string, action: ReasonAction = 'report'): Reason {
  return { kind: 'transient', action, meaning, fix };
}

function throttled(scope: OutcomeScope, meaning: string, fix: string): Reason {
  return { kind: 'throttled', scope, action: 'report', meaning, fix };
}

function auth(meaning: string, fix: string, action: ReasonAction = 'report'): Reason {
  return { kind: 'auth', scope: 'credential', action, meaning, fix };
}

/** Homing writes these parts of a request itself, so only an override can have put them wrong. */
const OVERRIDE = 'Correct overrides.apns, and report it if the notification has none.';
/** What a caller cannot have caused at all. */
const OURS = 'Report it: Homing builds this part of the request itself.';
const WAIT = 'Wait: Homing tries again by itself.';
const CERTIFICATE = 'Replace the push certificate, or better use an authentication key.';
const ENVIRONMENT = 'Make a key for this environment, or set the environment of the credential.';

/**
 * Every refusal that APNs is known to give, from Apple's "Handling notification responses from
 * APNs", together with what has been seen on the wire only.
 */
export const REASONS = {
  '400 BadCollapseId': payload(
    'the collapse id is longer than 64 bytes',
    'Choose a shorter collapse_key.',
  ),
  '400 BadExpirationDate': payload('the expiration is not a whole number', OURS),
  '400 BadMessageId': payload('the apns-id is not a canonical UUID', OURS),
  '400 BadPriority': payload(
    'the priority is not 10, 5 or 1, or not one for this push type',
    OVERRIDE,
  ),
  '400 DuplicateHeaders': payload('a header was repeated', OURS),
  '400 InvalidPushType': payload('the push type is not a known one', OVERRIDE),
  '400 MissingDeviceToken': payload('the path has no device token', OURS),
  '400 MissingTopic': payload('the topic is missing', OURS),
  '400 PayloadEmpty': payload('the body is empty', OURS),
  // Malformed, or a good token of the other environment: the answer is the same for both, so it
  // must not kill the token.
  '400 BadDeviceToken': mismatch(
    'the token is malformed or of the other environment',
    'Have the app report the environment that its build is signed for.',
    'environment',
  ),
  '400 DeviceTokenNotForTopic': mismatch(
    'the token belongs to another bundle id',
    'Have the app report its own bundle id as the topic.',
  ),
  '400 BadTopic': mismatch(
    'the topic is malformed',
    'Correct the bundle ids in the topics of the credential.',
  ),
  '400 TopicDisallowed': {
    kind: 'auth',
    scope: 'topic',
    action: 'report',
    meaning: 'the key may not push to this topic',
    fix: 'Use a key of the team that owns the bundle id, or allow the topic for this key.',
  },
  '400 IdleTimeout': transient('the connection was idle for too long', WAIT, 'reconnect'),
  '403 BadCertificate': auth('the certificate is invalid', CERTIFICATE),
  '403 BadCertificateEnvironment': auth(
    'the certificate is for the other environment',
    CERTIFICATE,
  ),
  // A connection that has seen an expired token keeps refusing, so the renewal reconnects as well.
  '403 ExpiredProviderToken': auth(
    'the provider token is older than an hour',
    'Set the clock of the server right.',
    'renew_token',
  ),
  '403 Forbidden': auth(
    'the key may not do this',
    'Give the key the right to push, or use another one.',
  ),
  '403 InvalidProviderToken': auth(
    'wrong key id, team id or signature, or the key was revoked',
    'Compare key id and team id with those of the .p8 file, and look whether the key is revoked.',
  ),
  '403 MissingProviderToken': auth(
    'the authorization header is missing',
    'Look whether a proxy on the way to Apple takes headers away.',
  ),
  '403 UnrelatedKeyIdInToken': auth(
    'the connection is bound to an unrelated key',
    'Replace the credential if it stays: Homing has taken a new connection already.',
    'reconnect',
  ),
  '403 BadEnvironmentKeyIdInToken': auth('the key is for the other environment', ENVIRONMENT),
  '403 BadEnvironmentKeyInToken': auth('the key is for the other environment', ENVIRONMENT),
  '404 BadPath': payload(
    'the path is wrong',
    'Look whether a proxy on the way to Apple changes paths.',
  ),
  '405 MethodNotAllowed': payload(
    'the method is not POST',
    'Look whether a proxy on the way to Apple changes methods.',
  ),
  '410 Unregistered': dead(
    'the app was removed or its token replaced',
    'Do nothing: the device is reached again when the app registers.',
  ),
  '410 ExpiredToken': dead(
    'the token has expired',
    'Do nothing: the device is reached again when the app registers.',
  ),
  '413 PayloadTooLarge': payload('the payload is larger than APNs takes', 'Shorten the content.'),
  '429 TooManyProviderTokenUpdates': throttled(
    'credential',
    'the provider token changed more than once in 20 minutes',
    'Look for another program that sends with the same key.',
  ),
  '429 TooManyRequests': throttled(
    'token',
    'too many pushes to the same device',
    'Send less often to this device, or use a collapse_key.',
  ),
  '500 InternalServerError': transient('an error inside APNs', WAIT),
  '503 ServiceUnavailable': transient('APNs is overloaded or down', WAIT),
  '503 Shutdown': transient('this APNs server is shutting down', WAIT, 'reconnect'),
  '400 *': payload('an unknown reason with status 400', "Look the code up in Apple's tables."),
  '403 *': auth('an unknown reason with status 403', "Look the code up in Apple's tables."),
  '410 *': dead(
    'an unknown reason with status 410',
    'Do nothing: the device is reached again when the app registers.',
  ),
  '429 *': throttled('credential', 'an unknown reason with status 429', WAIT),
  '5xx *': transient('an unknown reason with a status of 500 or above', WAIT),
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
