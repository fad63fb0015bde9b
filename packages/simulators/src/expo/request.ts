import { gunzipSync } from 'node:zlib';
import type { Answer } from '../answer.ts';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import { isRecord } from '../variant.ts';
import { expoAnswers } from './answers.ts';
import type { ExpoKnobs } from './knobs.ts';
import { findMessageProblem, recipientsOf } from './message.ts';
import type { ExpoMessage } from './message.ts';

/** The paths of the two calls, to match faults with. */
export const EXPO_SEND_PATH = '/--/api/v2/push/send';
export const EXPO_RECEIPTS_PATH = '/--/api/v2/push/getReceipts';

/** More than a hundred messages have, even unpacked. */
export const EXPO_BODY_LIMIT_BYTES = 1024 * 1024;

const MAX_NOTIFICATIONS = 100;
const MAX_RECEIPTS = 1000;
const BEARER = /^bearer +(\S+)$/i;

/** A request as it came, read but not judged. */
export interface ExpoRequest {
  readonly method: string;
  readonly path: string;
  readonly bearer: string | null;
  /** Whether the client unpacks gzip. */
  readonly takesGzip: boolean;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
  readonly isOversized: boolean;
  /** Every recipient, in order. */
  readonly messages: readonly ExpoMessage[];
  /** Whether one message to one recipient came, which gets a ticket and no list. */
  readonly isSingle: boolean;
}

/** Reads a request without judging it. */
export function readExpoRequest(exchange: Exchange, body: ReceivedBody): ExpoRequest {
  const { method, headers } = exchange;
  const [path = ''] = exchange.path.split('?');
  const bytes = unpacked(body, headers['content-encoding']);
  const json = bytes === null ? undefined : parseJson(bytes);
  const isSend = path === EXPO_SEND_PATH;
  return {
    method,
    path,
    bearer: BEARER.exec(headers.authorization ?? '')?.[1] ?? null,
    takesGzip: headers['accept-encoding']?.includes('gzip') === true,
    json,
    isOversized: body.length > body.bytes.length || bytes === null,
    messages: isSend ? recipientsOf(Array.isArray(json) ? json : [json]) : [],
    isSingle: isRecord(json) && typeof json.to === 'string',
  };
}

/** Whom a project lets in. */
export interface ExpoSecurity {
  readonly accessTokens: readonly string[];
  readonly knobs: ExpoKnobs;
}

/** The first thing that is wrong with a request itself; null when nothing is. */
export function findProblem(request: ExpoRequest, security: ExpoSecurity): Answer | null {
  const { method, path, isOversized, json } = request;
  const isKnown = path === EXPO_SEND_PATH || path === EXPO_RECEIPTS_PATH;
  if (method !== 'POST' || !isKnown) return expoAnswers.unknownPath();
  const intruder = findIntruder(request, security);
  if (intruder !== null) return intruder;
  if (isOversized) return expoAnswers.tooLarge();
  if (json === undefined) return expoAnswers.invalid('The body is not JSON.');
  return path === EXPO_SEND_PATH ? findSendProblem(request) : findReceiptsProblem(json);
}

/** The ids that a sound request for receipts names. */
export function receiptIds(json: unknown): readonly string[] {
  const ids = isRecord(json) ? json.ids : null;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/** A token that is none is refused even where none is needed. */
function findIntruder(
  { bearer }: ExpoRequest,
  { accessTokens, knobs }: ExpoSecurity,
): Answer | null {
  if (bearer !== null) return accessTokens.includes(bearer) ? null : expoAnswers.unauthorized();
  return knobs.enhancedSecurity ? expoAnswers.securityNeedsToken() : null;
}

function findSendProblem({ json, messages }: ExpoRequest): Answer | null {
  const given: readonly unknown[] = Array.isArray(json) ? json : [json];
  if (given.length === 0) return expoAnswers.invalid('"value" must have at least one message.');
  for (const message of given) {
    const problem = findMessageProblem(message);
    if (problem !== null) return expoAnswers.invalid(problem);
  }
  return messages.length > MAX_NOTIFICATIONS
    ? expoAnswers.tooManyNotifications(messages.length)
    : null;
}

function findReceiptsProblem(json: unknown): Answer | null {
  const ids = isRecord(json) ? json.ids : undefined;
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    return expoAnswers.invalid('"ids" must be a list of strings.');
  }
  return ids.length > MAX_RECEIPTS ? expoAnswers.tooManyReceipts(ids.length) : null;
}

/** Null when it cannot be unpacked, or to far too much. */
function unpacked({ bytes }: ReceivedBody, encoding: string | undefined): Buffer | null {
  if (encoding !== 'gzip') return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: EXPO_BODY_LIMIT_BYTES });
  } catch {
    return null;
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
