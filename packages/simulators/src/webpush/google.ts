import { randomBytes } from 'node:crypto';
import type { Answer } from '../answer.ts';
import type { Personality } from './personality.ts';
import type { WebPushProblem } from './problem.ts';

const PATH = /^\/(?:fcm\/send|wp)\/([A-Za-z0-9_:%.-]+)$/;
const FOUR_WEEKS_SECONDS = 2_419_200;
const MAX_BODY_BYTES = 4096;
const HTML = { 'content-type': 'text/html; charset=UTF-8' } as const;
const TEXT = { 'content-type': 'text/plain; charset=utf-8' } as const;

const INVALID_TOKEN = text(403, 'invalid-jwt', 'permission denied: invalid JWT provided\n');
const UNKNOWN = page(
  404,
  '*',
  'A valid push subscription endpoint should be specified in the URL as such: ' +
    'https://fcm.googleapis.com/wp/dHIoDxE7Hdg:APA91bH1Zj0kNa...',
);

/** Google's refusals; those that were not captured from the service are in its manner. */
const REFUSALS: Readonly<Record<WebPushProblem, Answer>> = {
  bad_path: UNKNOWN,
  bad_method: page(405, '*', 'The request method is inappropriate for the URL.'),
  endpoint_altered: UNKNOWN,
  authorization_missing: page(401, 'no-authorization', 'Authorization header must be specified.'),
  authorization_scheme: page(401, 'no-authorization', 'Authorization header must be specified.'),
  token_missing: INVALID_TOKEN,
  key_missing: text(400, 'bad-key', 'crypto-key header had invalid format\n'),
  key_malformed: text(400, 'bad-key', 'crypto-key header had invalid format\n'),
  token_malformed: INVALID_TOKEN,
  signature_invalid: INVALID_TOKEN,
  audience_invalid: INVALID_TOKEN,
  expiry_invalid: INVALID_TOKEN,
  expiry_too_long: INVALID_TOKEN,
  subject_invalid: INVALID_TOKEN,
  ttl_missing: page(400, 'bad-ttl', 'TTL header must be specified.'),
  ttl_invalid: page(400, 'bad-ttl', 'TTL header is invalid.'),
  ttl_negative: page(400, 'bad-ttl', 'TTL header is invalid.'),
  urgency_invalid: page(400, 'bad-urgency', 'Urgency header is invalid.'),
  topic_invalid: page(400, 'bad-topic', 'Topic header is invalid.'),
  encoding_missing: page(400, 'bad-encoding', 'Content-Encoding header must be specified.'),
  encoding_unknown: page(400, 'bad-encoding', 'Content-Encoding header is invalid.'),
  body_malformed: page(400, 'bad-encoding', 'The message is malformed.'),
  too_large: page(
    400,
    'payload-too-large-text',
    'binary data passed in the request must be less than 4096 bytes',
  ),
  cache_policy_conflict: page(400, 'bad-ttl', 'TTL header is invalid.'),
  unknown_subscription: UNKNOWN,
  key_mismatch: text(
    403,
    'vapid-mismatch',
    'the VAPID credentials in the authorization header do not correspond to the credentials ' +
      'used to create the subscriptions.\n',
  ),
  gone: text(410, '*', 'push subscription has unsubscribed or expired.\n'),
  throttled: page(429, '*', 'Too many requests.'),
  internal: page(500, '*', 'Internal Server Error'),
  unavailable: page(503, '*', 'Service unavailable'),
};

/** An answer of the time when GCM took web pushes; it still occurs. */
const UNAUTHORIZED_REGISTRATION = page(400, 'UnauthorizedRegistration', 'UnauthorizedRegistration');

const KNOWN = new Map(
  [...Object.values(REFUSALS), UNAUTHORIZED_REGISTRATION].map((answer) => [
    `${answer.status} ${answer.reason}`,
    answer,
  ]),
);

/** fcm.googleapis.com, where Chrome and its relatives are. */
export const GOOGLE: Personality = {
  name: 'google',
  protocols: ['h2', 'http/1.1'],
  maxBodyBytes: MAX_BODY_BYTES,
  maxTtlSeconds: FOUR_WEEKS_SECONDS,
  withdrawsMessages: false,
  checks: [],
  topicPattern: /^[A-Za-z0-9_-]{1,32}$/,
  refusals: REFUSALS,
  newId: (sentinel) => {
    const instance = randomBytes(8).toString('base64url');
    return `${sentinel}${instance}:APA91b${randomBytes(100).toString('base64url')}`;
  },
  pathOf: (id) => `/fcm/send/${id}`,
  idOf: (path) => PATH.exec(path)?.[1] ?? null,
  acceptance: ({ id, origin, askedTtlSeconds, ttlSeconds }) => ({
    status: 201,
    reason: null,
    headers: {
      location: `${origin}/message/${id}`,
      ...(ttlSeconds < askedTtlSeconds ? { ttl: String(ttlSeconds) } : {}),
    },
    body: '',
  }),
  scripted: (status, code) =>
    KNOWN.get(`${status} ${code}`) ?? page(status, code, code === '*' ? '' : code),
};

function text(status: number, reason: string, body: string): Answer {
  return { status, reason, headers: TEXT, body };
}

/** Google's older front end answers in HTML. */
function page(status: number, reason: string, message: string): Answer {
  const body =
    `<HTML>\n<HEAD>\n<TITLE>${message}</TITLE>\n</HEAD>\n` +
    `<BODY BGCOLOR="#FFFFFF" TEXT="#000000">\n<H1>${message}</H1>\n<H2>Error ${status}</H2>\n` +
    '</BODY>\n</HTML>\n';
  return { status, reason, headers: HTML, body };
}
