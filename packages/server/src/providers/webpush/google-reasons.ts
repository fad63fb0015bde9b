import type { ReasonTable } from '../reason.ts';
import * as row from './reason-row.ts';

const { nothing, wait, rebind, ours, shorten } = row.FIXES;

/** What Google answers beside or instead of `REASONS`. Its bodies are texts for people. */
export const GOOGLE_REASONS = {
  '400 UnauthorizedRegistration': row.mismatch(
    'the subscription was made with another sender or VAPID key',
    rebind,
  ),
  '400 payload-too-large-text': row.payload('the body is larger than 4096 bytes', shorten),
  '401 no-authorization': row.auth('the request carries no VAPID token', ours),
  '403 vapid-mismatch': row.mismatch('the subscription was made with another VAPID key', rebind),
  '404 *': row.dead('the endpoint is none of Google', nothing),
  // Temporary in the first seconds of some subscriptions: the retry policy doubts it there.
  '410 *': row.dead('the browser has unsubscribed, or the subscription has expired', nothing),
  '429 *': row.throttled('host', 'too many messages', wait),
  '5xx *': row.transient('Google is in trouble', wait),
} as const satisfies ReasonTable;

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/UnauthorizedRegistration/i, 'UnauthorizedRegistration'],
  [/must be less than \d+ bytes/i, 'payload-too-large-text'],
  [/authorization header must be specified/i, 'no-authorization'],
  [/do not correspond to the credentials used to create/i, 'vapid-mismatch'],
];

/** Our name for what a text of Google's says; null for one that says nothing of note. */
export function googleCode(body: string): string | null {
  return TEXTS.find(([pattern]) => pattern.test(body))?.[1] ?? null;
}
