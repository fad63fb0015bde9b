import type { Answer } from '../answer.ts';
import type { Violation } from './violations.ts';

interface ErrorStatus {
  readonly code: number;
  readonly status: string;
  readonly message: string;
  readonly details?: readonly Readonly<Record<string, unknown>>[];
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' } as const;
const HTML_HEADERS = { 'content-type': 'text/html; charset=UTF-8' } as const;
const CREDENTIAL_ADVICE =
  'Expected OAuth 2 access token, login cookie or other valid authentication credential. ' +
  'See https://developers.google.com/identity/sign-in/web/devconsole-project.';

/** What FCM says in each case. The bodies are those that were captured from the service. */
export const fcmAnswers = {
  accepted: (name: string): Answer => ({
    status: 200,
    reason: null,
    headers: JSON_HEADERS,
    body: JSON.stringify({ name }),
  }),

  /** The older body for a token that is none. */
  badTokenByMessage: (): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'The registration token is not a valid FCM registration token',
      details: [fcmError('INVALID_ARGUMENT')],
    }),

  /** The newer body for a token that is none. */
  badTokenByField: (field: 'message.token' | 'message.fid'): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'Request contains an invalid argument.',
      details: [
        fcmError('INVALID_ARGUMENT'),
        badRequest([{ field, description: 'Invalid registration token' }]),
      ],
    }),

  /** The JSON is not a message: the parser complains before FCM gets to see it. */
  malformed: (violations: readonly Violation[]): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: violations.map(({ description }) => description).join('\n'),
      details: [badRequest(violations)],
    }),

  /** The message is one, but breaks a rule of FCM. */
  invalidMessage: (violation: Violation): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: violation.description,
      details: [badRequest([violation]), fcmError('INVALID_ARGUMENT')],
    }),

  /** FCM does not say that a body is too large; the lack of details is how one can tell. */
  tooLarge: (): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'Request contains an invalid argument.',
    }),

  iosDisabled: (): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'APNs device token is disabled.',
      details: [fcmError('INVALID_ARGUMENT'), apnsError(410, 'Unregistered')],
    }),

  /** The app's APNs token is of the other environment than Firebase's key for APNs serves. */
  iosMisplaced: (): Answer =>
    error({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'Request contains an invalid argument.',
      details: [fcmError('INVALID_ARGUMENT'), apnsError(400, 'BadDeviceToken')],
    }),

  /** A field of the message that FCM does not like, for a fault that is to say so. */
  wrongField: (): Answer =>
    fcmAnswers.invalidMessage({
      field: 'message.android.ttl',
      description: 'Invalid time-to-live duration.',
    }),

  noTarget: (): Answer =>
    fcmAnswers.invalidMessage({
      field: 'message',
      description: 'Recipient of the message is not set.',
    }),

  unregistered: (): Answer =>
    error({
      code: 404,
      status: 'NOT_FOUND',
      message: 'Requested entity was not found.',
      details: [fcmError('UNREGISTERED')],
    }),

  /** The same status and words as for a dead token, told apart by the missing FcmError alone. */
  unknownProject: (): Answer =>
    error({ code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' }),

  unknownPath: (path: string): Answer => ({
    status: 404,
    reason: '(html)',
    headers: HTML_HEADERS,
    body: errorPage(404, 'Not Found', `The requested URL ${escapeHtml(path)} was not found.`),
  }),

  badGateway: (): Answer => ({
    status: 502,
    reason: '(html)',
    headers: HTML_HEADERS,
    body: errorPage(502, 'Server Error', 'Please try again in 30 seconds.'),
  }),

  missingCredential: (): Answer =>
    unauthenticated(
      `Request is missing required authentication credential. ${CREDENTIAL_ADVICE}`,
      'CREDENTIALS_MISSING',
    ),

  invalidCredential: (): Answer =>
    unauthenticated(
      `Request had invalid authentication credentials. ${CREDENTIAL_ADVICE}`,
      'ACCESS_TOKEN_TYPE_UNSUPPORTED',
    ),

  /** The account is real but may not send for this project. */
  permissionDenied: (projectId: string): Answer =>
    error({
      code: 403,
      status: 'PERMISSION_DENIED',
      message:
        "Permission 'cloudmessaging.messages.create' denied on resource " +
        `'//cloudresourcemanager.googleapis.com/projects/${projectId}' (or it may not exist).`,
      details: [errorInfo('IAM_PERMISSION_DENIED', 'cloudresourcemanager.googleapis.com')],
    }),

  /** The messaging API was never enabled in the project. */
  apiDisabled: (projectId: string): Answer =>
    error({
      code: 403,
      status: 'PERMISSION_DENIED',
      message:
        `Firebase Cloud Messaging API has not been used in project ${projectId} before or it is ` +
        'disabled. Enable it in the console, then retry.',
      details: [errorInfo('SERVICE_DISABLED', 'googleapis.com')],
    }),

  thirdPartyAuth: (): Answer =>
    error({
      code: 401,
      status: 'UNAUTHENTICATED',
      message: 'Auth error from APNS or Web Push Service',
      details: [fcmError('THIRD_PARTY_AUTH_ERROR'), apnsError(403, 'InvalidProviderToken')],
    }),

  senderMismatch: (): Answer =>
    error({
      code: 403,
      status: 'PERMISSION_DENIED',
      message: 'SenderId mismatch',
      details: [fcmError('SENDER_ID_MISMATCH')],
    }),

  quotaExceeded: (): Answer =>
    error({
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      message:
        "Quota exceeded for quota metric 'Send requests' and limit 'Send requests per minute'.",
      details: [fcmError('QUOTA_EXCEEDED')],
    }),

  internal: (): Answer =>
    error({
      code: 500,
      status: 'INTERNAL',
      message: 'Internal error encountered.',
      details: [fcmError('INTERNAL')],
    }),

  unavailable: (): Answer =>
    error({
      code: 503,
      status: 'UNAVAILABLE',
      message: 'The service is currently unavailable.',
      details: [fcmError('UNAVAILABLE')],
    }),

  /** A combination that has no body of its own here: the code alone, in FCM's frame. */
  other: (code: number, reason: string): Answer =>
    error({
      code,
      status: reason,
      message: reason,
      details: [fcmError(reason)],
    }),
} as const;

/** The OAuth token endpoint's errors (RFC 6749 section 5.2). */
export function oauthError(status: number, code: string, description: string): Answer {
  return {
    status,
    reason: code,
    headers: JSON_HEADERS,
    body: JSON.stringify({ error: code, error_description: description }),
  };
}

function unauthenticated(message: string, reason: string): Answer {
  const answer = error({
    code: 401,
    status: 'UNAUTHENTICATED',
    message,
    details: [errorInfo(reason, 'googleapis.com')],
  });
  const challenge = { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' };
  return { ...answer, headers: { ...answer.headers, ...challenge } };
}

/**
 * google.rpc.Status in Google's JSON frame. The journal shows FCM's own code where there is one.
 */
function error({ code, status, message, details }: ErrorStatus): Answer {
  const detail = details?.find((candidate) => 'errorCode' in candidate);
  return {
    status: code,
    reason: typeof detail?.errorCode === 'string' ? detail.errorCode : status,
    headers: JSON_HEADERS,
    body: JSON.stringify({ error: { code, message, status, details } }),
  };
}

function fcmError(errorCode: string) {
  return { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode };
}

function apnsError(statusCode: number, reason: string) {
  return { '@type': 'type.googleapis.com/google.firebase.fcm.v1.ApnsError', statusCode, reason };
}

function badRequest(fieldViolations: readonly Violation[]) {
  return { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations };
}

function errorInfo(reason: string, domain: string) {
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain };
}

function errorPage(status: number, title: string, text: string): string {
  return (
    '<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n' +
    `<title>Error ${status} (${title})!!1</title>\n<p><b>${status}.</b> ${text}\n`
  );
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
