import { randomBytes } from 'node:crypto';
import type { Answer } from '../answer.ts';
import type { Personality } from './personality.ts';
import type { WebPushProblem } from './problem.ts';
import type { WebPushRequest } from './request.ts';

const PATH = /^\/w\/\?token=([A-Za-z0-9_:%.=+/-]+)$/;
/** As Windows writes them: percent escapes in lower case, and nothing left to escape. */
const UNALTERED = /^(?:[A-Za-z0-9_:.-]|%[0-9a-f]{2})+$/;
const MAX_TTL_SECONDS = 2_419_200;
const MAX_BODY_BYTES = 4096;
const CACHE_CONFLICT = 'Ttl value conflicts with X-WNS-Cache-Policy.';
const STATUS_CODE = /^X-WNS-Status: (dropped|channelthrottled)$/;
const TOKEN_TROUBLE = 'Zero or duplicate tokens or token signing keys.';

/** What WNS says in each case; it puts its words into headers and leaves bodies empty. */
const REFUSALS: Readonly<Record<WebPushProblem, Answer>> = {
  bad_path: refusal(404, 'Unknown path.'),
  bad_method: refusal(405, 'Method not allowed.'),
  endpoint_altered: refusal(401, 'The channel token is invalid.'),
  authorization_missing: refusal(401, TOKEN_TROUBLE),
  authorization_scheme: refusal(401, TOKEN_TROUBLE),
  token_missing: refusal(401, TOKEN_TROUBLE),
  key_missing: refusal(401, TOKEN_TROUBLE),
  key_malformed: refusal(401, TOKEN_TROUBLE),
  token_malformed: refusal(401, 'The token is malformed.'),
  signature_invalid: refusal(401, 'The signature of the token is invalid.'),
  audience_invalid: refusal(401, 'The audience of the token is invalid.'),
  expiry_invalid: refusal(401, 'The token has expired.'),
  expiry_too_long: refusal(401, 'The token is valid for too long.'),
  subject_invalid: refusal(401, 'The subject of the token is invalid.'),
  ttl_missing: refusal(400, 'Ttl is missing.'),
  ttl_invalid: refusal(400, 'Ttl value is invalid.'),
  ttl_negative: refusal(400, 'Ttl value is invalid.'),
  urgency_invalid: refusal(400, 'Urgency value is invalid.'),
  topic_invalid: refusal(400, 'Topic value is invalid.'),
  encoding_missing: refusal(400, 'Content-Encoding is missing.'),
  encoding_unknown: refusal(400, 'Content-Encoding value is invalid.'),
  body_malformed: refusal(400, 'The payload is invalid.'),
  too_large: refusal(413, 'The payload is too large.'),
  cache_policy_conflict: {
    ...refusal(400, CACHE_CONFLICT),
    reason: 'TTL/X-WNS-Cache-Policy conflict',
  },
  unknown_subscription: refusal(404, 'The channel is invalid.'),
  key_mismatch: refusal(403, 'The key does not own the channel.'),
  gone: refusal(410, 'The channel has expired.'),
  throttled: refusal(406, 'The throttle limit is exceeded.'),
  internal: refusal(500, 'Internal failure.'),
  unavailable: refusal(503, 'The service is unavailable.'),
};

/** *.notify.windows.com, where Edge is. It takes VAPID and is not the WNS of native apps. */
export const WNS: Personality = {
  name: 'wns',
  protocols: ['http/1.1'],
  maxBodyBytes: MAX_BODY_BYTES,
  maxTtlSeconds: MAX_TTL_SECONDS,
  withdrawsMessages: false,
  checks: [
    ({ subscriptionId }) => (UNALTERED.test(subscriptionId ?? '') ? null : 'endpoint_altered'),
    checkCachePolicy,
  ],
  topicPattern: /^[A-Za-z0-9_-]{1,32}$/,
  refusals: REFUSALS,
  newId: (sentinel) => {
    // Its own escapes are in lower case, which encodeURIComponent does not write.
    const token = randomBytes(100).toString('base64');
    const escaped = token.replaceAll(/[+/=]/g, (sign) => ESCAPES[sign] ?? sign);
    return `${sentinel}BQYAAAC${escaped}`;
  },
  pathOf: (id) => `/w/?token=${id}`,
  idOf: (path) => PATH.exec(path)?.[1] ?? null,
  acceptance: ({ id }) => statusAnswer(201, 'received', null, { 'x-wns-msg-id': id }),
  scripted: (status, code) => {
    const [, notificationStatus] = STATUS_CODE.exec(code) ?? [];
    if (notificationStatus !== undefined) return statusAnswer(status, notificationStatus, code, {});
    if (code === REFUSALS.cache_policy_conflict.reason) return REFUSALS.cache_policy_conflict;
    return { ...refusal(status, code), reason: code };
  },
};

const ESCAPES: Readonly<Record<string, string>> = { '+': '%2b', '/': '%2f', '=': '%3d' };

/** Without the header a message is cached, which a TTL of zero contradicts. */
function checkCachePolicy({ ttl, cachePolicy }: WebPushRequest): WebPushProblem | null {
  const isCached = (cachePolicy ?? 'cache') === 'cache';
  return isCached === Number(ttl) > 0 ? null : 'cache_policy_conflict';
}

function refusal(status: number, description: string): Answer {
  return statusAnswer(status, 'dropped', '*', { 'x-wns-error-description': description });
}

function statusAnswer(
  status: number,
  notificationStatus: string,
  reason: string | null,
  headers: Readonly<Record<string, string>>,
): Answer {
  return {
    status,
    reason,
    headers: {
      'x-wns-status': notificationStatus,
      'x-wns-notificationstatus': notificationStatus,
      'x-wns-deviceconnectionstatus': 'connected',
      ...headers,
    },
    body: '',
  };
}
