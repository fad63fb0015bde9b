import type { Outcome } from '../../domain/outcome.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../json-object.ts';
import { findReason, toOutcome } from '../reason.ts';
import type { Reason, ReasonTable } from '../reason.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import type { ExpoAnswer } from './exchange.ts';

function dead(meaning: string, fix: string): Reason {
  return { kind: 'token_dead', action: 'report', meaning, fix };
}

function payload(meaning: string, fix: string): Reason {
  return { kind: 'payload', action: 'report', meaning, fix };
}

function auth(meaning: string, fix: string): Reason {
  return { kind: 'auth', scope: 'credential', action: 'report', meaning, fix };
}

function throttledDevice(meaning: string): Reason {
  const fix = 'Send less often to one device, or collapse what replaces each other.';
  return { kind: 'throttled', scope: 'token', action: 'report', meaning, fix };
}

const CHECK_TOKEN = "Give the credential an access token of the project's owner, or a new one.";
const MEND_KEYS = 'Upload a valid APNs key or FCM service account to the Expo project.';
const TOO_BIG = 'Shorten the text or the data; 4096 bytes is all that a notification may have.';
const REGISTER_ANEW = 'Nothing; the device brings another token when the app is opened again.';

/**
 * Every refusal that Expo's push service is known to give, from its documentation and from the
 * types of its SDK. It refuses in three places: a whole request by a status and a code, one push in
 * its *ticket*, at once, and one push in its *receipt*, a quarter of an hour later.
 */
export const REASONS = {
  '200 ticket:DeviceNotRegistered': dead(
    'the app was removed, or its token replaced',
    REGISTER_ANEW,
  ),
  '200 receipt:DeviceNotRegistered': dead(
    'APNs or FCM said that the app was removed, or its token replaced',
    REGISTER_ANEW,
  ),
  '200 ticket:MessageTooBig': payload('the notification is too large', TOO_BIG),
  '200 receipt:MessageTooBig': payload('APNs or FCM found the notification too large', TOO_BIG),
  '200 ticket:MessageRateExceeded': throttledDevice('too much is sent to this device'),
  '200 receipt:MessageRateExceeded': throttledDevice('APNs or FCM got too much for this device'),
  '200 receipt:MismatchSenderId': {
    kind: 'token_mismatch',
    action: 'report',
    meaning: 'the FCM key of the Expo project belongs to another Firebase project than the app',
    fix: 'Upload the service account of the Firebase project that the app was built with to Expo.',
  },
  '200 ticket:InvalidCredentials': auth(
    'the APNs key or FCM service account in the Expo project is not valid',
    MEND_KEYS,
  ),
  '200 receipt:InvalidCredentials': auth(
    'APNs or FCM refused the key that the Expo project has for it',
    MEND_KEYS,
  ),
  '200 receipt:DeveloperError': payload(
    'APNs or FCM did not accept the notification as it is',
    'Read the message of the receipt in the Expo dashboard, and correct the content.',
  ),
  '200 receipt:ExpoError': {
    kind: 'transient',
    action: 'report',
    meaning: 'an error inside Expo',
    fix: 'Send the notification again; look at status.expo.dev if it goes on.',
  },
  '200 receipt:ProviderError': {
    kind: 'unclassified',
    action: 'report',
    meaning: 'APNs or FCM failed, for a reason that Expo does not pass on',
    fix: 'Send the notification again; read the receipt in the Expo dashboard if it goes on.',
  },
  '200 receipt:(missing id)': {
    kind: 'unclassified',
    action: 'report',
    meaning: 'there is no receipt yet, or none any more',
    fix: 'Nothing; it is asked for until a day after the push, which stays accepted.',
  },
  '400 PUSH_TOO_MANY_EXPERIENCE_IDS': payload(
    'the tokens of one request belong to several projects',
    'Name the project in the credential, so that tokens of other projects are put aside.',
  ),
  '400 PUSH_TOO_MANY_NOTIFICATIONS': payload(
    'more than 100 notifications came in one request',
    'Report it: this server sends 100 at most.',
  ),
  '400 PUSH_TOO_MANY_RECEIPTS': payload(
    'more than 1000 receipts were asked for in one request',
    'Report it: this server asks for 300 at most.',
  ),
  '400 VALIDATION_ERROR': payload(
    'a field of the message is wrong',
    'Correct overrides.expo; the message names the field.',
  ),
  '400 UNAUTHORIZED': auth('the access token is missing or not valid', CHECK_TOKEN),
  '401 UNAUTHORIZED': auth('the access token is missing or not valid', CHECK_TOKEN),
  '403 UNAUTHORIZED': auth('the access token may not send for this project', CHECK_TOKEN),
  '429 TOO_MANY_REQUESTS': {
    kind: 'throttled',
    scope: 'credential',
    action: 'report',
    meaning: 'more than 600 notifications a second for one project',
    fix: 'Lower the rate of the credential if something else sends for the project as well.',
  },
  '5xx *': {
    kind: 'transient',
    action: 'report',
    meaning: 'Expo is in trouble',
    fix: 'Nothing; it is tried again. Look at status.expo.dev if it goes on.',
  },
  '413 *': payload('the request is too large', TOO_BIG),
  '400 *': payload(
    'an unknown reason with status 400',
    'Correct the content or overrides.expo, as the message says.',
  ),
} as const satisfies ReasonTable;

/** The reason behind a status, where the body has none, as with what front ends send. */
const CODES_OF_STATUS: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  429: 'TOO_MANY_REQUESTS',
};

/** An answer that refuses a request as a whole. */
export interface ExpoRefusal {
  readonly outcome: Outcome;
  /** Whose each token is, where the request mixed projects and Expo says so; null otherwise. */
  readonly tokensByProject: ReadonlyMap<string, readonly string[]> | null;
}

/** Classifies an answer without tickets or receipts. Never throws, whatever the body is. */
export function classifyRefusal(answer: ExpoAnswer, now: Date): ExpoRefusal {
  const { status } = answer;
  const error = firstError(answer.body);
  const code = text(error?.['code']) ?? CODES_OF_STATUS[status] ?? String(status);
  const reason = findExpoReason(status, code);
  const outcome = toOutcome(reason, {
    status,
    code,
    detail: text(error?.['message']) ?? reason.meaning,
    retryAfterMs: parseRetryAfterMs(answer.retryAfter, now),
    since: null,
  });
  const isMixed = code === 'PUSH_TOO_MANY_EXPERIENCE_IDS';
  return { outcome, tokensByProject: isMixed ? tokensByProject(error?.['details']) : null };
}

/**
 * The outcome that a ticket or a receipt stands for. What only receipts are known to say means the
 * same in a ticket; the code tells where it was said. A ticket brings the id by which its receipt
 * is asked for, which is the `id` of a receipt here; without it nothing could be followed up.
 */
export function classifyItem(where: 'ticket' | 'receipt', id: string, item: unknown): Outcome {
  const fields = isJsonObject(item) ? item : {};
  if (fields['status'] === 'ok') {
    const providerId = where === 'ticket' ? text(fields['id']) : id;
    if (providerId !== null && providerId !== '') return { kind: 'accepted', providerId };
    return { kind: 'unknown', code: 'ticket_without_id', status: 200 };
  }
  const details = isJsonObject(fields['details']) ? fields['details'] : {};
  const error = text(details['error']) ?? 'unknown';
  const known = Object.hasOwn(REASONS, `200 ${where}:${error}`);
  const reason = findReason(REASONS, 200, `${known ? where : 'receipt'}:${error}`);
  return toOutcome(reason, {
    status: 200,
    code: `${where}:${error}`,
    detail: reason.meaning,
    retryAfterMs: null,
    since: null,
  });
}

/** Expo has given one code with several statuses, so a code that is known goes before a status. */
function findExpoReason(status: number, code: string): Reason {
  const exact = `${status} ${code}`;
  if (Object.hasOwn(REASONS, exact)) return findReason(REASONS, status, code);
  const elsewhere = Object.entries(REASONS).find(([key]) => key.endsWith(` ${code}`));
  return elsewhere?.[1] ?? findReason(REASONS, status, code);
}

function firstError(body: string): JsonObject | null {
  const errors = parseJsonObject(body)?.['errors'];
  const [first] = Array.isArray(errors) ? (errors as readonly unknown[]) : [];
  return isJsonObject(first) ? first : null;
}

function tokensByProject(details: unknown): ReadonlyMap<string, readonly string[]> | null {
  if (!isJsonObject(details)) return null;
  return new Map(
    Object.entries(details).map(([project, tokens]) => [
      project,
      Array.isArray(tokens) ? tokens.filter((token) => typeof token === 'string') : [],
    ]),
  );
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
