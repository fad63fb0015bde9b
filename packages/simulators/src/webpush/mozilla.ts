import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../answer.ts';
import type { Personality } from './personality.ts';
import type { WebPushProblem } from './problem.ts';

const PATH = /^\/wpush\/v[12]\/([A-Za-z0-9_:%.=-]+)$/;
const THIRTY_DAYS_SECONDS = 2_592_000;
// The documentation says 4096; this is what the source has.
const MAX_BODY_BYTES = 5630;
const OVERLOAD_RETRY_SECONDS = 120;
const GONE_CACHE_SECONDS = 86_400;
const MORE_INFO = 'http://autopush.readthedocs.io/en/latest/http.html#error-codes';
const CODE = /^errno (\d+|null)(?::\w+)?$/;
const KEY_MISMATCH = 'VAPID public key mismatch';
const BAD_CLAIM =
  'Invalid VAPID token: A value in the vapid claims is either missing or incorrectly specified ' +
  '(e.g. "exp":"12345" or "sub":null). Please correct and retry.';

/** What autopush says in each case. */
const REFUSALS: Readonly<Record<WebPushProblem, Answer>> = {
  bad_path: autopush(404, 102, 'Invalid token'),
  bad_method: autopush(405, null, 'Method Not Allowed'),
  endpoint_altered: autopush(404, 102, 'Invalid token'),
  authorization_missing: autopush(401, 109, 'Missing VAPID token'),
  authorization_scheme: autopush(401, 109, 'Unknown auth scheme'),
  token_missing: autopush(401, 109, 'Missing VAPID token'),
  key_missing: autopush(401, 109, 'Missing VAPID public key'),
  key_malformed: autopush(401, 109, 'Invalid VAPID public key: Invalid public key'),
  token_malformed: autopush(401, 109, BAD_CLAIM),
  signature_invalid: autopush(401, 109, 'Invalid VAPID token: InvalidSignature'),
  audience_invalid: autopush(401, 109, 'Invalid VAPID audience'),
  expiry_invalid: autopush(401, 109, 'Invalid VAPID expiry'),
  expiry_too_long: autopush(401, 109, 'The VAPID token expiration is too long'),
  subject_invalid: autopush(401, 109, BAD_CLAIM),
  ttl_missing: autopush(400, 111, 'Missing TTL value'),
  ttl_invalid: autopush(400, 112, 'Invalid TTL value'),
  ttl_negative: autopush(400, 114, 'TTL must be greater than 0'),
  urgency_invalid: autopush(400, null, 'Invalid urgency'),
  topic_invalid: autopush(400, 113, 'Topic must be no greater than 32 characters'),
  encoding_missing: autopush(400, 110, 'Missing Content-Encoding header'),
  encoding_unknown: autopush(400, 110, 'Unknown Content-Encoding header'),
  body_malformed: autopush(400, 110, 'Unknown Content-Encoding header'),
  too_large: autopush(413, 104, 'Request payload too large'),
  cache_policy_conflict: autopush(400, 112, 'Invalid TTL value'),
  unknown_subscription: autopush(404, 102, 'Invalid token'),
  key_mismatch: autopush(401, 109, KEY_MISMATCH),
  gone: autopush(410, 106, 'No such subscription'),
  throttled: autopush(429, null, 'Too Many Requests'),
  internal: autopush(500, 999, 'Unknown error'),
  unavailable: autopush(503, 201, 'Please use exponential backoff'),
};

/** The words of the numbers that no problem above leads to. */
const MESSAGES: ReadonlyMap<string, string> = new Map([
  ['errno 101', 'Missing necessary crypto keys'],
  ['errno 103', 'UAID not found'],
  ['errno 105', 'User was deleted during routing'],
  ['errno 108', 'Invalid router type'],
  ['errno 109', 'Invalid VAPID audience'],
  ['errno 109:KeyMismatch', KEY_MISMATCH],
  ['errno 202', 'Temporary condition'],
  ['errno 900', 'Bridge error'],
  ['errno 901', 'Bridge authentication error'],
  ['errno 902', 'Bridge unreachable'],
  ['errno 903', 'Bridge request timeout'],
]);

/** updates.push.services.mozilla.com, where Firefox is: autopush. */
export const MOZILLA: Personality = {
  name: 'mozilla',
  protocols: ['h2', 'http/1.1'],
  maxBodyBytes: MAX_BODY_BYTES,
  maxTtlSeconds: THIRTY_DAYS_SECONDS,
  withdrawsMessages: true,
  checks: [],
  topicPattern: /^[A-Za-z0-9_=-]{1,32}$/,
  refusals: REFUSALS,
  newId: (sentinel) => `${sentinel}gAAAAAB${randomBytes(105).toString('base64url')}`,
  pathOf: (id) => `/wpush/v2/${id}`,
  idOf: (path) => PATH.exec(path)?.[1] ?? null,
  acceptance: ({ id, origin, ttlSeconds }) => ({
    status: 201,
    reason: null,
    headers: { location: `${origin}/m/${id}`, ttl: String(ttlSeconds) },
    body: '',
  }),
  scripted: (status, code) => {
    const [, number] = CODE.exec(code) ?? [];
    if (number === undefined) return { status, reason: code, headers: {}, body: '' };
    const known = Object.values(REFUSALS).find(
      (answer) => answer.status === status && answer.reason === code,
    );
    const errno = number === 'null' ? null : Number(number);
    const message = MESSAGES.get(code);
    if (message === undefined && known !== undefined) return known;
    return autopush(status, errno, message ?? STATUS_CODES[status] ?? '');
  },
};

function autopush(status: number, errno: number | null, message: string): Answer {
  const mismatch = message === KEY_MISMATCH ? ':KeyMismatch' : '';
  return {
    status,
    reason: `errno ${errno}${mismatch}`,
    headers: {
      'content-type': 'application/json',
      ...(status === 410 ? { 'cache-control': `max-age=${GONE_CACHE_SECONDS}` } : {}),
      ...(status === 503 ? { 'retry-after': String(OVERLOAD_RETRY_SECONDS) } : {}),
    },
    body: JSON.stringify({
      code: status,
      errno,
      error: STATUS_CODES[status] ?? '',
      message,
      more_info: MORE_INFO,
    }),
  };
}
