import { randomBytes, randomUUID } from 'node:crypto';
import type { Answer } from '../answer.ts';
import { readEncryptedContent } from './encrypted-content.ts';
import type { Personality } from './personality.ts';
import type { WebPushProblem } from './problem.ts';
import { isPublicPoint } from './public-point.ts';
import type { WebPushRequest } from './request.ts';

const PATH = /^\/([A-Za-z0-9_:%.-]+)$/;
const THIRTY_DAYS_SECONDS = 2_592_000;
const MAX_BODY_BYTES = 4096;
/** A topic must be decodable: base64url of no number of bytes has one character above four. */
const TOPIC = /^(?=[A-Za-z0-9_-]{1,32}$)(?:.{4})*(?:.{2,3})?$/;
const LOCAL_MAILBOX = /@localhost$/i;

/** What Apple says in each case: one reason, and a status of its own for each. */
const REFUSALS: Readonly<Record<WebPushProblem, Answer>> = {
  bad_path: refusal(404, 'BadPath'),
  bad_method: refusal(405, 'MethodNotAllowed'),
  endpoint_altered: refusal(400, 'BadDeviceToken'),
  authorization_missing: refusal(403, 'BadAuthorizationHeader'),
  authorization_scheme: refusal(403, 'BadAuthorizationHeader'),
  token_missing: refusal(403, 'BadAuthorizationHeader'),
  key_missing: refusal(403, 'BadAuthorizationHeader'),
  key_malformed: refusal(400, 'BadVapidPublicKey'),
  token_malformed: refusal(403, 'BadJwtToken'),
  signature_invalid: refusal(403, 'BadJwtToken'),
  audience_invalid: refusal(403, 'BadJwtToken'),
  expiry_invalid: refusal(403, 'BadJwtToken'),
  expiry_too_long: refusal(403, 'BadJwtToken'),
  subject_invalid: refusal(403, 'BadJwtToken'),
  ttl_missing: refusal(400, 'BadTtl'),
  ttl_invalid: refusal(400, 'BadTtl'),
  ttl_negative: refusal(400, 'BadTtl'),
  urgency_invalid: refusal(400, 'BadUrgency'),
  topic_invalid: refusal(400, 'BadWebPushTopic'),
  encoding_missing: refusal(400, 'BadWebPushRequest'),
  encoding_unknown: refusal(400, 'BadWebPushRequest'),
  body_malformed: refusal(400, 'BadWebPushRequest'),
  too_large: refusal(413, 'PayloadTooLarge'),
  cache_policy_conflict: refusal(400, 'BadWebPushRequest'),
  unknown_subscription: refusal(400, 'BadDeviceToken'),
  key_mismatch: refusal(400, 'VapidPkHashMismatch'),
  gone: refusal(410, 'Unregistered'),
  throttled: refusal(429, 'TooManyRequests'),
  internal: refusal(500, 'InternalServerError'),
  unavailable: refusal(503, 'ServiceUnavailable'),
};

/** web.push.apple.com, where Safari is. */
export const APPLE: Personality = {
  name: 'apple',
  protocols: ['h2', 'http/1.1'],
  maxBodyBytes: MAX_BODY_BYTES,
  maxTtlSeconds: THIRTY_DAYS_SECONDS,
  withdrawsMessages: false,
  checks: [checkSubject, checkBody],
  topicPattern: TOPIC,
  refusals: REFUSALS,
  newId: (sentinel) => `${sentinel}Q${randomBytes(96).toString('base64url')}`,
  pathOf: (id) => `/${id}`,
  idOf: (path) => PATH.exec(path)?.[1] ?? null,
  acceptance: () => ({
    status: 201,
    reason: null,
    headers: { 'apns-id': randomUUID().toUpperCase() },
    body: '',
  }),
  scripted: refusal,
};

/** A contact that Apple can use: a mailbox elsewhere than here, or a web address. */
function checkSubject({ vapid }: WebPushRequest): WebPushProblem | null {
  if (typeof vapid === 'string') return vapid;
  const { sub } = vapid.claims;
  if (typeof sub !== 'string') return 'subject_invalid';
  const url = URL.parse(sub);
  if (url?.protocol === 'https:') return null;
  const isMailbox = url?.protocol === 'mailto:' && url.pathname.includes('@');
  return isMailbox && !LOCAL_MAILBOX.test(url.pathname) ? null : 'subject_invalid';
}

function checkBody({ body, bodyBytes }: WebPushRequest): WebPushProblem | null {
  if (bodyBytes === 0) return null;
  const content = readEncryptedContent(body);
  return content !== null && isPublicPoint(content.keyId) ? null : 'body_malformed';
}

function refusal(status: number, reason: string): Answer {
  if (reason === '*') return { status, reason, headers: {}, body: '' };
  return {
    status,
    reason,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({ reason }),
  };
}
