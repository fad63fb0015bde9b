import type { Answer } from '../answer.ts';

/** Every reason of APNs for a device push, with its HTTP status. */
export const APNS_REASONS = {
  BadCollapseId: 400,
  BadDeviceToken: 400,
  BadExpirationDate: 400,
  BadMessageId: 400,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  DuplicateHeaders: 400,
  IdleTimeout: 400,
  InvalidPushType: 400,
  MissingDeviceToken: 400,
  MissingTopic: 400,
  PayloadEmpty: 400,
  TopicDisallowed: 400,
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  BadEnvironmentKeyInToken: 403,
  ExpiredProviderToken: 403,
  Forbidden: 403,
  InvalidProviderToken: 403,
  MissingProviderToken: 403,
  UnrelatedKeyIdInToken: 403,
  BadPath: 404,
  MethodNotAllowed: 405,
  ExpiredToken: 410,
  Unregistered: 410,
  PayloadTooLarge: 413,
  TooManyProviderTokenUpdates: 429,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
  Shutdown: 503,
} as const satisfies Record<string, number>;

export type ApnsReason = keyof typeof APNS_REASONS;

/** 200 has no body. Only the sandbox adds an id under which its console finds the push. */
export function acceptance(apnsId: string, uniqueId: string | null): Answer {
  const unique = uniqueId === null ? {} : { 'apns-unique-id': uniqueId };
  return { status: 200, reason: null, headers: { 'apns-id': apnsId, ...unique }, body: '' };
}

/** A refusal for one of Apple's reasons. */
export function refusal(reason: ApnsReason, apnsId: string): Answer {
  return refusalOf(APNS_REASONS[reason], reason, apnsId, {});
}

/** 410, with the time in milliseconds at which APNs learned that the token is gone. */
export function goneAnswer(
  reason: 'Unregistered' | 'ExpiredToken',
  atMs: number,
  apnsId: string,
): Answer {
  return refusalOf(APNS_REASONS[reason], reason, apnsId, { timestamp: atMs });
}

/** A refusal of any status and reason, for faults; 410 gets the timestamp that it always has. */
export function scriptedAnswer(
  { status, reason, retryAfterSeconds }: ScriptedAnswer,
  apnsId: string,
  nowMs: number,
): Answer {
  const answer = refusalOf(status, reason, apnsId, status === 410 ? { timestamp: nowMs } : {});
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
}

interface ScriptedAnswer {
  readonly status: number;
  readonly reason: string;
  readonly retryAfterSeconds?: number;
}

function refusalOf(
  status: number,
  reason: string,
  apnsId: string,
  more: Readonly<Record<string, unknown>>,
): Answer {
  return {
    status,
    reason,
    headers: { 'apns-id': apnsId, 'content-type': 'application/json' },
    body: JSON.stringify({ reason, ...more }),
  };
}
