import { randomUUID } from 'node:crypto';
import { requireDuration, type Settings } from './settings.ts';

/** What may be said of any call. */
export interface CallOptions {
  /** Ends the call, its pauses and its stream; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long the call may take, repetitions included; of a stream, until it begins. */
  readonly timeoutMs?: number;
}

/** What may be said of a call that makes or does something once. */
export interface OnceOptions extends CallOptions {
  /**
   * 1 to 255 characters that name what is done (`shipped:parcel-7001`): whoever repeats it within
   * 30 days, from any process, gets the first answer. A random one unless given.
   */
  readonly idempotencyKey?: string;
}

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

/** What follows `/v1`, not encoded. */
export type Path = readonly string[];

/** Undefined is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** What a request carries. */
export interface Content {
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it can be opened more than once. */
  readonly isRepeatable: boolean;
  /** Called for each attempt; what was opened is closed when the attempt has ended. */
  open(ended: AbortSignal): string | ReadableStream | null;
}

export interface CallParts {
  readonly query?: Query;
  /** The body, as a value; without one, `content`. */
  readonly json?: unknown;
  readonly content?: Content;
  readonly options?: OnceOptions | undefined;
  /** Instead of the settings' for one attempt and of a minute for the call. */
  readonly patienceMs?: number;
}

/** A request, ready to be sent as often as needed: all attempts are the same to the byte. */
export interface Call {
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Content;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
}

const TIMEOUT_MS = 60_000;
const USER_AGENT = 'homing-node/0.1.0';
const NO_CONTENT: Content = { headers: {}, isRepeatable: true, open: () => null };

/**
 * Every POST gets an idempotency key here, which is why it may be repeated. What the caller changes
 * in a body later changes nothing that is sent. Throws a `TypeError` for what cannot be sent.
 */
export function toCall(settings: Settings, method: Method, path: Path, parts: CallParts): Call {
  const { query = {}, json, options = {}, patienceMs } = parts;
  const content = json === undefined ? (parts.content ?? NO_CONTENT) : jsonContent(json);
  const idempotencyKey = method === 'POST' ? toIdempotencyKey(options.idempotencyKey) : null;
  const requestId = randomUUID();
  if (options.timeoutMs !== undefined) requireDuration('timeoutMs', options.timeoutMs);
  return {
    method,
    url: `${settings.baseUrl}/v1/${path.map(toSegment).join('/')}${toSearch(query)}`,
    headers: {
      accept: 'application/json, application/problem+json, application/x-ndjson',
      authorization: `Bearer ${settings.secretKey}`,
      'user-agent': USER_AGENT,
      'x-request-id': requestId,
      ...(idempotencyKey !== null && { 'idempotency-key': idempotencyKey }),
      ...content.headers,
    },
    content,
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? settings.timeoutMs ?? patienceMs ?? TIMEOUT_MS,
    attemptTimeoutMs: patienceMs ?? settings.attemptTimeoutMs,
    requestId,
    idempotencyKey,
  };
}

function jsonContent(value: unknown): Content {
  const text = JSON.stringify(value);
  const headers = { 'content-type': 'application/json' };
  return { headers, isRepeatable: true, open: () => text };
}

/** Header values are Latin-1; anything else would fail in `fetch` with a message of its own. */
function toIdempotencyKey(given: string | undefined): string {
  if (given === undefined) return randomUUID();
  if (typeof given === 'string' && /^[!-~](?:[ -~]{0,253}[!-~])?$/.test(given)) return given;
  throw new TypeError('idempotencyKey has to be 1 to 255 printable ASCII characters');
}

/**
 * An empty part, `.` and `..` would be taken out of the path on its way, so that the request
 * would be about something else: the removal of the topic `..` about its user.
 */
function toSegment(text: string): string {
  if (typeof text !== 'string' || text === '' || text === '.' || text === '..') {
    throw new TypeError(`${JSON.stringify(text)} is no id, and cannot stand in a path`);
  }
  return encodeURIComponent(text);
}

function toSearch(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.append(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}
