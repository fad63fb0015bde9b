import type { JsonObject } from '../json-object.ts';
import type { ReasonTable } from '../reason.ts';
import * as row from './reason-row.ts';

const { nothing, wait, rebind, key, ours, shorten } = row.FIXES;
const otherKey = 'the subscription was made with another VAPID key';

/** What Apple answers, by the `reason` in its bodies ("Sending web push notifications …"). */
export const APPLE_REASONS = {
  '400 BadTtl': row.payload('the time to live is missing or refused', ours),
  '400 BadUrgency': row.payload('the urgency is refused', ours),
  '400 BadWebPushRequest': row.payload('the encryption is refused', ours),
  '400 BadWebPushTopic': row.payload('the topic is refused', ours),
  '400 VapidPkHashMismatch': row.mismatch(otherKey, rebind),
  '403 VapidPkHashMismatch': row.mismatch(otherKey, rebind),
  '400 BadDeviceToken': row.mismatch('the endpoint is none that Apple knows here', nothing),
  '400 IdleTimeout': row.transient('the connection was idle for too long', wait),
  '403 BadAuthorizationHeader': row.auth('the VAPID header is malformed', key),
  '400 BadAuthorizationHeader': row.auth('the VAPID header is malformed', key),
  '403 BadJwtToken': row.auth('the audience, expiry or subject of the VAPID token is wrong', key),
  '400 BadVapidPublicKey': row.auth('the VAPID key is refused', key),
  '403 BadVapidPublicKey': row.auth('the VAPID key is refused', key),
  '404 BadPath': row.payload('the path of the endpoint is wrong', ours),
  '405 MethodNotAllowed': row.payload('the endpoint takes no messages', ours),
  '410 Unregistered': row.dead('the subscription is gone', nothing),
  '410 ExpiredToken': row.dead('the subscription has expired', nothing),
  '410 *': row.dead('the subscription is gone', nothing),
  '413 PayloadTooLarge': row.payload('the body is larger than 4096 bytes', shorten),
  '429 TooManyRequests': row.throttled('token', 'too many messages to this subscription', wait),
  '500 InternalServerError': row.transient('an error inside the push service', wait),
  '503 ServiceUnavailable': row.transient('the push service is overloaded', wait),
  '503 Shutdown': row.transient('the push service is restarting', wait),
} as const satisfies ReasonTable;

/** The code of a body of Apple's; null for every other one. */
export function appleCode({ reason }: JsonObject): string | null {
  return typeof reason === 'string' && reason !== '' ? reason : null;
}

/**
 * The status under which a reason stands in the table: Apple has given the same one with different
 * statuses, and the reason is what it means.
 */
export function appleStatus(status: number, code: string): number {
  if (Object.hasOwn(APPLE_REASONS, `${status} ${code}`)) return status;
  const key = Object.keys(APPLE_REASONS).find((candidate) => candidate.endsWith(` ${code}`));
  return key === undefined ? status : Number.parseInt(key, 10);
}
