import type { Outcome } from '../../domain/outcome.ts';
import { parseJsonObject, type JsonObject } from '../json-object.ts';
import { outcomeOfCutOff } from '../no-answer.ts';
import { findReason, toOutcome } from '../reason.ts';
import type { Reason, ReasonAction, ReasonTable } from '../reason.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import type { HmsAnswer } from './connection.ts';

function payload(meaning: string, fix: string): Reason {
  return { kind: 'payload', action: 'report', meaning, fix };
}

function dead(meaning: string, fix: string): Reason {
  return { kind: 'token_dead', action: 'report', meaning, fix };
}

function transient(meaning: string): Reason {
  const fix = 'Wait: Homing tries again by itself.';
  return { kind: 'transient', action: 'report', meaning, fix };
}

function throttled(meaning: string, fix: string): Reason {
  return { kind: 'throttled', scope: 'credential', action: 'report', meaning, fix };
}

function auth(meaning: string, fix: string, action: ReasonAction = 'report'): Reason {
  return { kind: 'auth', scope: 'credential', action, meaning, fix };
}

/**
 * Every refusal that Push Kit is known to give, from Huawei's "Response codes". The code in the
 * body decides, whatever the status: an error may well come with 200.
 */
export const REASONS = {
  '* 80100000': dead(
    'some tokens of the call are invalid; the others were taken',
    'Nothing: the token comes back when the app registers it again.',
  ),
  '* 80100001': payload('a parameter is wrong', 'Check overrides.hms against the API reference.'),
  '* 80100003': payload(
    'the structure of the message is wrong',
    'Check overrides.hms against the API reference.',
  ),
  '* 80100004': payload(
    'the time to live is out of range',
    'Give a time to live of 15 days at most.',
  ),
  '* 80100013': payload(
    'the collapse key is not a number from -1 to 100',
    'Take android.collapse_key out of overrides.hms, or correct it.',
  ),
  '* 80100016': payload('the message has sensitive content', 'Reword title and body.'),
  '* 80100017': throttled(
    'more than a hundred tasks for topics at once',
    'Send fewer notifications to topics at a time.',
  ),
  '* 80100018': auth(
    'the signature for the review of messages is missing or wrong',
    "Settle the review of the app's messages in AppGallery Connect.",
  ),
  '* 80200001': auth(
    'the access token is not valid',
    'Check that the credential belongs to this app and was not revoked.',
    'renew_token',
  ),
  '* 80200003': auth('the access token has expired', "Check the server's clock.", 'renew_token'),
  '* 80200005': auth('the signed token has expired', "Check the server's clock.", 'renew_token'),
  // Somebody else's token in our app looks the same; `ABOUT_TOKENS` tells.
  '* 80300002': auth(
    'the app may not push to this token',
    'Enable Push Kit for the app, and check that app id and secret are of the same app.',
  ),
  // Also what a wrong version of the API or a wrong app looks like; `ABOUT_TOKENS` tells.
  '* 80300007': dead(
    'all tokens of the call are invalid',
    'Nothing: the token comes back when the app registers it again.',
  ),
  '* 80300008': payload('the message has more than 4096 bytes', 'Shorten the message.'),
  '* 80300010': payload(
    'too many tokens, or a malformed message',
    'Check overrides.hms against the API reference.',
  ),
  '* 80300011': payload(
    'the app may not send messages of high priority',
    'Take highPriority out of the credential, or apply to Huawei for the permission.',
  ),
  '* 80300013': payload(
    'the address for receipts is not valid',
    'Correct the receipt in AppGallery Connect, or receipt_id in overrides.hms.',
  ),
  '* 80600003': transient("an error between Push Kit and Huawei's OAuth server"),
  '* 81000001': transient('an error inside Push Kit'),
  '503 *': throttled(
    'flow control: too many messages at a time',
    'Give the credential a lower rate.',
  ),
  '502 *': transient("a network error at Huawei's front end"),
  '500 *': transient('an error inside Push Kit'),
  '404 *': payload('there is no such address', 'Check app id, project id and HOMING_HMS_URL.'),
  '401 *': auth(
    'the request is not authorised',
    'Check that the credential belongs to this app and was not revoked.',
    'renew_token',
  ),
  '400 *': payload('an unknown reason with status 400', 'Check overrides.hms.'),
} as const satisfies ReasonTable;

const SUCCESS = '80000000';
const PARTIAL = '80100000';

/**
 * Two codes stand for opposite things. "All tokens are invalid" is also what a wrong app or a wrong
 * version of the API brings, so a token dies of it only while the credential works for others; and
 * "may not push" is also what another app's token brings, which anybody could register with ours,
 * so it stops the credential only while nothing else says that it works.
 */
const ABOUT_TOKENS: ReadonlySet<string> = new Set(['80300002', '80300007']);

/** A text of Huawei's is shown to callers, but not whatever its length. */
const MAX_DETAIL_CHARACTERS = 300;

/** What an answer says about the tokens of a call. */
export type HmsVerdict =
  /** Push Kit took the message for all tokens but the `illegal` ones, which have that outcome. */
  | {
      readonly kind: 'taken';
      readonly providerId: string;
      readonly illegal: ReadonlySet<string>;
      readonly illegalOutcome: Outcome;
    }
  /** All tokens have this outcome, unless the action helps. */
  | { readonly kind: 'refused'; readonly action: ReasonAction; readonly outcome: Outcome }
  | TokenRefusal;

/**
 * Nothing was taken, because of one of the tokens or because of the credential. Of a token that is
 * alone it is told by whether the credential works for others; among several nobody can tell.
 */
export interface TokenRefusal {
  readonly kind: 'token_refused';
  readonly whileWorking: Outcome;
  readonly otherwise: Outcome;
}

/** Reads any answer; never throws, whatever the body is. */
export function readVerdict(answer: HmsAnswer, now: Date): HmsVerdict {
  const { status } = answer;
  const body = parseJsonObject(answer.body);
  const code = codeOf(body);
  if (code === SUCCESS) return taken(body, status, new Set());
  if (code === PARTIAL) {
    const illegal = illegalTokens(body);
    // Most tokens were taken, and nobody can tell which.
    if (illegal === null) return inDoubt('80100000:unreadable', status);
    return taken(body, status, illegal);
  }
  if (code === null && status === 200) return inDoubt('no_code', status);
  const cutOff = outcomeOfCutOff(answer);
  if (cutOff !== null) return { kind: 'refused', action: 'report', outcome: cutOff };
  const reason = findReason(REASONS, status, code ?? '');
  const refusal = {
    status,
    code: code ?? String(status),
    detail: text(body?.['msg']).slice(0, MAX_DETAIL_CHARACTERS) || reason.meaning,
    retryAfterMs: parseRetryAfterMs(answer.retryAfter, now),
    since: null,
  };
  const outcome = toOutcome(reason, refusal);
  if (!ABOUT_TOKENS.has(refusal.code)) return { kind: 'refused', action: reason.action, outcome };
  const mismatch = { kind: 'token_mismatch', status, code: refusal.code } as const;
  return reason.kind === 'token_dead'
    ? { kind: 'token_refused', whileWorking: outcome, otherwise: mismatch }
    : { kind: 'token_refused', whileWorking: mismatch, otherwise: outcome };
}

function taken(body: JsonObject | null, status: number, illegal: ReadonlySet<string>): HmsVerdict {
  const illegalOutcome = { kind: 'token_dead', status, code: PARTIAL, since: null } as const;
  return { kind: 'taken', providerId: text(body?.['requestId']), illegal, illegalOutcome };
}

function inDoubt(code: string, status: number): HmsVerdict {
  return { kind: 'refused', action: 'report', outcome: { kind: 'unknown', code, status } };
}

function codeOf(body: JsonObject | null): string | null {
  const code = body?.['code'];
  return typeof code === 'string' || typeof code === 'number' ? String(code) : null;
}

/** The report of a partial success is JSON inside a string of the JSON; null if it is not there. */
function illegalTokens(body: JsonObject | null): ReadonlySet<string> | null {
  const illegal = parseJsonObject(text(body?.['msg']))?.['illegal_tokens'];
  if (!Array.isArray(illegal)) return null;
  return new Set(illegal.filter((token) => typeof token === 'string'));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
