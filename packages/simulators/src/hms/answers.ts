import { randomInt } from 'node:crypto';
import type { Answer } from '../answer.ts';

const JSON_HEADERS = { 'content-type': 'application/json; charset=UTF-8' } as const;

/** What Push Kit says to each of its codes, from Huawei's "Response codes". */
export const HMS_CODES = {
  '80000000': 'Success',
  '80100000': 'Some tokens are right, the others are illegal',
  '80100001': 'Parameter error',
  '80100003': 'Message structure error',
  '80100004': 'TTL is not in the specified range',
  '80100013': 'Collapse_key value is not correct',
  '80100016': 'Message contains sensitive information',
  '80100017': 'A maximum of 100 topic-based messages can be sent at the same time',
  '80100018': 'Invalid review signature',
  '80200001': 'Oauth authentication error',
  '80200003': 'Oauth Token expired',
  '80200005': 'JWT Token expired',
  '80300002': 'The current app does not have the permission to send push messages',
  '80300007': 'All tokens are invalid',
  '80300008': 'The message body size exceeds the default value set by the system',
  '80300010': 'The number of tokens in the message body exceeds the default value',
  '80300011': 'You are not authorized to send high-priority notification messages',
  '80300013': 'The callback URL is invalid',
  '80600003': 'Failed to request the OAuth service',
  '81000001': 'Push server internal error',
} as const;
export type HmsCode = keyof typeof HMS_CODES;

export interface SentAnswer extends Answer {
  readonly requestId: string;
}

/** An answer of Push Kit with a code, which may come with any status. */
export function codedAnswer(status: number, code: string, message: string): SentAnswer {
  const requestId = newRequestId();
  return {
    requestId,
    status,
    // The journal names what was refused; a success needs no reason.
    reason: code === '80000000' ? null : code,
    headers: JSON_HEADERS,
    body: JSON.stringify({ code, msg: message, requestId }),
  };
}

/** What is refused because of this code; with 200, unless the status is to follow the code. */
export function refusal(code: HmsCode, errorsComeWith200: boolean): Answer {
  return codedAnswer(errorsComeWith200 ? 200 : statusOf(code), code, HMS_CODES[code]);
}

export function success(): SentAnswer {
  return codedAnswer(200, '80000000', HMS_CODES['80000000']);
}

/** The report of a partial success: JSON inside a string of the JSON. */
export function partialSuccess(taken: number, illegal: readonly string[]): SentAnswer {
  const report = { success: taken, failure: illegal.length, illegal_tokens: illegal };
  return codedAnswer(200, '80100000', JSON.stringify(report));
}

/** An answer without a code, as from a front end that never asked Push Kit. */
export function bareAnswer(status: number): Answer {
  return {
    status,
    reason: String(status),
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${status}</title></head><body></body></html>`,
  };
}

/** A refusal of the token endpoint. */
export function oauthError(status: number, error: number, description: string): Answer {
  return {
    status,
    reason: `error ${error}`,
    headers: JSON_HEADERS,
    body: JSON.stringify({ error, sub_error: 20_001, error_description: description }),
  };
}

/** RFC 9110 section 10.2.3, in seconds. */
export function withRetryAfter(answer: Answer, retryAfterSeconds: number | undefined): Answer {
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
}

function statusOf(code: HmsCode): number {
  if (code.startsWith('802')) return 401;
  return code.startsWith('806') || code.startsWith('81') ? 500 : 400;
}

function newRequestId(): string {
  return `${Date.now()}${String(randomInt(1_000_000_000)).padStart(9, '0')}`;
}
