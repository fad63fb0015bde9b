import { randomUUID } from 'node:crypto';
import type { Answer } from '../answer.ts';

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' } as const;
const HTML_HEADERS = { 'content-type': 'text/html; charset=UTF-8' } as const;

/** A part of an answer: what became of one push, at once or later. */
export type ExpoItem =
  | { readonly status: 'ok'; readonly id?: string }
  | {
      readonly status: 'error';
      readonly message: string;
      readonly details: { readonly error: string; readonly expoPushToken?: string };
    };

/** What Expo says in each case, in the frames that its documentation and its SDK show. */
export const expoAnswers = {
  data: (data: unknown): Answer => ({
    status: 200,
    reason: null,
    headers: JSON_HEADERS,
    body: JSON.stringify({ data }),
  }),

  unknownPath: (): Answer => error(404, 'NOT_FOUND', 'Not found'),

  unauthorized: (): Answer => error(401, 'UNAUTHORIZED', 'The bearer token is invalid'),

  securityNeedsToken: (): Answer =>
    error(401, 'UNAUTHORIZED', 'Insufficient permissions to send push notifications'),

  invalid: (message: string): Answer => error(400, 'VALIDATION_ERROR', message),

  tooManyNotifications: (count: number): Answer =>
    error(
      400,
      'PUSH_TOO_MANY_NOTIFICATIONS',
      `You are trying to send ${count} push notifications in one request, at most 100 may be.`,
    ),

  tooManyReceipts: (count: number): Answer =>
    error(
      400,
      'PUSH_TOO_MANY_RECEIPTS',
      `You are trying to get ${count} push receipts in one request, at most 1000 may be.`,
    ),

  mixedProjects: (tokensByProject: Readonly<Record<string, readonly string[]>>): Answer =>
    error(
      400,
      'PUSH_TOO_MANY_EXPERIENCE_IDS',
      'All push notification messages in the same request must be for the same project.',
      tokensByProject,
    ),

  tooLarge: (): Answer => htmlPage(413, 'Request Entity Too Large'),

  /** Processing broke off in the middle. */
  internal: (): Answer => error(500, 'INTERNAL_SERVER_ERROR', 'An unknown error occurred.'),

  /** What a fault says: the code alone in Expo's frame, or the page of a front end. */
  fault: (status: number, reason: string, retryAfterSeconds: number | undefined): Answer => {
    const answer =
      reason === '(html)' ? htmlPage(status, 'Error') : error(status, reason, `${reason} (fault)`);
    if (retryAfterSeconds === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
  },
} as const;

/** The item of a push that came to nothing; tickets name the token, receipts do not. */
export function errorItem(code: string, token: string): ExpoItem {
  const message =
    code === 'DeviceNotRegistered'
      ? `"${token}" is not a registered push notification recipient`
      : `The push notification came to nothing: ${code}`;
  const named = code === 'DeviceNotRegistered' ? { expoPushToken: token } : {};
  return { status: 'error', message, details: { error: code, ...named } };
}

function error(status: number, code: string, message: string, details?: unknown): Answer {
  const isTransient = status >= 500;
  const errors = [{ code, type: 'USER', message, isTransient, requestId: randomUUID(), details }];
  return { status, reason: code, headers: JSON_HEADERS, body: JSON.stringify({ errors }) };
}

function htmlPage(status: number, title: string): Answer {
  const body = `<!DOCTYPE html>\n<title>${status} ${title}</title>\n<h1>${title}</h1>\n`;
  return { status, reason: '(html)', headers: HTML_HEADERS, body };
}
