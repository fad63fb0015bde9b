import type { Outcome, TokenDoubt } from '../../domain/outcome.ts';
import { fieldValue, type Http2Answer } from '@homing/h2';
import { findReason, toOutcome } from '../reason.ts';
import type { Reason, ReasonAction, ReasonTable } from '../reason.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import { parseFcmErrorBody } from './error-body.ts';
import type { FcmErrorBody } from './error-body.ts';

function payload(meaning: string, fix: string): Reason {
  return { kind: 'payload', action: 'report', meaning, fix };
}

function mismatch(meaning: string, fix: string): Reason {
  return { kind: 'token_mismatch', action: 'report', meaning, fix };
}

function dead(meaning: string, fix: string, doubt: TokenDoubt | null = null): Reason {
  const reason = { kind: 'token_dead', action: 'report', meaning, fix } as const;
  return doubt === null ? reason : { ...reason, doubt };
}

function transient(meaning: string): Reason {
  return { kind: 'transient', action: 'report', meaning, fix: WAIT };
}

function unclassified(meaning: string, fix: string): Reason {
  return { kind: 'unclassified', action: 'report', meaning, fix };
}

function auth(meaning: string, fix: string, action: ReasonAction = 'report'): Reason {
  return { kind: 'auth', scope: 'credential', action, meaning, fix };
}

/** Firebase's own key for one platform: the other platforms of the project are not affected. */
function platformAuth(meaning: string): Reason {
  const fix = 'Upload a valid APNs key or VAPID key in the settings of the Firebase project.';
  return { kind: 'auth', scope: 'topic', action: 'report', meaning, fix };
}

function throttled(meaning: string): Reason {
  const fix = 'Pace large notifications, or ask Google for a higher quota.';
  return { kind: 'throttled', scope: 'credential', action: 'report', meaning, fix };
}

const WAIT = 'Wait: Homing tries again by itself.';
const NOTHING = 'Do nothing: the device is reached again when the app registers.';
const LOOK_UP = "Look the code up in Firebase's tables.";
const PROXY = 'Look whether a proxy on the way to Google changes paths.';
const NEW_KEY = 'Download a new key of the service account, and replace the credential.';

/**
 * Every refusal that FCM is known to give, from Firebase's "FCM error codes" and from bodies seen
 * on the wire. One google.rpc status stands for opposite things there, so a code may carry a
 * discriminator: `INVALID_ARGUMENT:token`. `reasonCode` finds it.
 */
export const REASONS = {
  '404 UNREGISTERED': dead('the app was removed or its token replaced', NOTHING),
  // firebase-admin reports this one as an unregistered token; it is a wrong project.
  '404 NOT_FOUND(no FcmError)': unclassified(
    'the project does not exist, or the path is wrong',
    'Compare the project id of the credential with that of the Firebase project.',
  ),
  // Google says so of a token that is none, and of messages that it does not like: a token that
  // worked before is asked about once more.
  '400 INVALID_ARGUMENT:token': dead(
    'the token is not one that FCM issued',
    'Have the app report the token as FCM gave it.',
    'validity',
  ),
  '400 INVALID_ARGUMENT:ApnsError410': dead('APNs says that the app was removed', NOTHING),
  '400 INVALID_ARGUMENT:ApnsError400BadDeviceToken': mismatch(
    'the APNs token behind the FCM token is of the other environment or bundle id',
    'Have the app set its APNs token type in Firebase, and upload the key of that environment.',
  ),
  '400 INVALID_ARGUMENT:fieldViolation': payload(
    'a field of the message is wrong',
    'Correct the field of overrides.fcm that the delivery names.',
  ),
  '400 INVALID_ARGUMENT:no-details': payload(
    'the message is too large or malformed',
    'Shorten the content, and look through overrides.fcm.',
  ),
  '400 INVALID_ARGUMENT:no-target': payload(
    'the message has no target',
    'Report it: Homing builds this part of the request itself.',
  ),
  '400 FAILED_PRECONDITION': auth(
    'the project is not set up for messaging',
    'Switch Cloud Messaging on in the Firebase project.',
  ),
  '401 THIRD_PARTY_AUTH_ERROR': platformAuth("the project's APNs key or VAPID key is refused"),
  '401 APNS_AUTH_ERROR': platformAuth("the project's APNs key is refused (older name)"),
  '401 UNAUTHENTICATED': auth(
    'the access token has expired or was revoked',
    NEW_KEY,
    'renew_token',
  ),
  '403 SENDER_ID_MISMATCH': mismatch(
    'the token belongs to another Firebase project',
    'Build the app with the configuration file of this Firebase project.',
  ),
  '403 PERMISSION_DENIED(no FcmError)': auth(
    'the account may not send, or the API is disabled',
    'Enable the Firebase Cloud Messaging API, and give the account its role.',
  ),
  '429 QUOTA_EXCEEDED': throttled('a quota of the project, the device or the topic is used up'),
  '429 RESOURCE_EXHAUSTED': throttled('a quota of the project is used up'),
  '500 INTERNAL': transient('an error inside FCM'),
  '502 (html)': transient("Google's front end cannot reach FCM"),
  '503 UNAVAILABLE': transient('FCM is overloaded or down'),
  '504 DEADLINE_EXCEEDED': transient("FCM did not answer Google's front end in time"),
  '400 UNSPECIFIED_ERROR': unclassified('FCM gives no reason', LOOK_UP),
  '404 (html)': unclassified('the path is wrong', PROXY),
  '400 *': payload('an unknown reason with status 400', LOOK_UP),
  '401 *': auth('an unknown reason with status 401', NEW_KEY, 'renew_token'),
  '403 *': auth('an unknown reason with status 403', LOOK_UP),
  '404 *': unclassified('an unknown reason with status 404', LOOK_UP),
  '429 *': throttled('an unknown reason with status 429'),
  '5xx *': transient('an unknown reason with a status of 500 or above'),
} as const satisfies ReasonTable;

/** What to do about a refusal, and the outcome that it is if that does not help. */
export interface FcmRefusal {
  readonly action: ReasonAction;
  readonly outcome: Outcome;
}

const TOKEN_FIELDS: ReadonlySet<string> = new Set(['message.token', 'message.fid']);
const APNS_MISMATCHES: ReadonlySet<string> = new Set(['BadDeviceToken', 'DeviceTokenNotForTopic']);

/** Google's two generations of bodies: one says it in the message, the other names the field. */
function isAboutToken({ message, violatedFields }: FcmErrorBody): boolean {
  if (violatedFields !== null && violatedFields.length > 0) {
    return violatedFields.every((field) => TOKEN_FIELDS.has(field));
  }
  return /registration token is not a valid/i.test(message);
}

function invalidArgumentCode(error: FcmErrorBody): string {
  const { apnsError, fcmError, violatedFields, message, hasDetails } = error;
  if (apnsError?.statusCode === 410) return 'INVALID_ARGUMENT:ApnsError410';
  if (APNS_MISMATCHES.has(apnsError?.reason ?? '')) {
    return 'INVALID_ARGUMENT:ApnsError400BadDeviceToken';
  }
  if (/recipient of the message is not set/i.test(message)) return 'INVALID_ARGUMENT:no-target';
  // Without an FcmError the complaint comes from the JSON layer, which knows nothing of tokens.
  if (fcmError !== null && isAboutToken(error)) return 'INVALID_ARGUMENT:token';
  const others = violatedFields?.filter((field) => !TOKEN_FIELDS.has(field)) ?? [];
  if (others.length > 0) return 'INVALID_ARGUMENT:fieldViolation';
  return hasDetails ? 'INVALID_ARGUMENT' : 'INVALID_ARGUMENT:no-details';
}

/** FcmError speaks of messages, the google.rpc status of APIs in general: the first one wins. */
function reasonCode(error: FcmErrorBody | null): string {
  if (error === null) return '(html)';
  const code = error.fcmError ?? error.status;
  if (code === 'INVALID_ARGUMENT') return invalidArgumentCode(error);
  const withoutFcmError = error.fcmError === null;
  if (withoutFcmError && (code === 'NOT_FOUND' || code === 'PERMISSION_DENIED')) {
    return `${code}(no FcmError)`;
  }
  return code ?? '*';
}

/**
 * An observed body says that our own access token is bad and yet blames Firebase's key in FcmError.
 * FcmError is right as a rule, but one look at our token is cheap.
 */
function blamesOurToken(error: FcmErrorBody | null, status: number): boolean {
  return status === 401 && error?.apnsError === null && /OAuth/i.test(error.message);
}

function findFcmReason(status: number, code: string, error: FcmErrorBody | null): Reason {
  // "No more information is available", which FCM may say with any status.
  if (code === 'UNSPECIFIED_ERROR') return REASONS['400 UNSPECIFIED_ERROR'];
  const reason = findReason(REASONS, status, code);
  const aboutDevice = reason.kind === 'throttled' && /device/i.test(error?.quota ?? '');
  return aboutDevice ? { ...reason, scope: 'token' } : reason;
}

/** Classifies any answer but 200. Never throws, whatever the body is. */
export function classifyRefusal(answer: Http2Answer, now: Date): FcmRefusal {
  const { status } = answer;
  const error = parseFcmErrorBody(answer.body);
  const code = reasonCode(error);
  const reason = findFcmReason(status, code, error);
  const outcome = toOutcome(reason, {
    status,
    code: code === '*' ? String(status) : code,
    detail: error?.message || reason.meaning,
    retryAfterMs: parseRetryAfterMs(fieldValue(answer.fields, 'retry-after'), now),
    since: null,
  });
  return { action: blamesOurToken(error, status) ? 'renew_token' : reason.action, outcome };
}
