import type { JsonObject } from '../json-object.ts';
import type { ReasonTable } from '../reason.ts';
import * as row from './reason-row.ts';

const { nothing, wait, rebind, key, ours, shorten } = row.FIXES;
const bridged = 'the bridge to the phone is in trouble';

/**
 * What autopush answers, by the `errno` in its bodies: https://autopush.readthedocs.io, "Error
 * Codes".
 */
export const MOZILLA_REASONS = {
  '400 errno 101': row.payload('the encryption headers are missing', ours),
  '404 errno 102': row.dead('the endpoint is none of Mozilla', nothing),
  '410 errno 103': row.dead('the browser is not known any more', nothing),
  '413 errno 104': row.payload('the message is larger than the browser can get', shorten),
  '410 errno 105': row.dead('the browser was forgotten while the message was on its way', nothing),
  '410 errno 106': row.dead('the subscription is gone', nothing),
  '400 errno 108': row.payload('the kind of the browser is not known', ours),
  '401 errno 109': row.auth('the VAPID token is refused', key),
  '401 errno 109:KeyMismatch': row.mismatch(
    'the subscription was made with another VAPID key',
    rebind,
  ),
  '400 errno 110': row.payload('the encryption headers are refused', ours),
  '400 errno 111': row.payload('the time to live is missing', ours),
  '400 errno 112': row.payload('the time to live is refused', ours),
  '400 errno 113': row.payload('the topic is refused', ours),
  '400 errno 114': row.payload('the time to live is negative', ours),
  '500 errno 999': row.transient('an error inside the push service', wait),
  '503 errno 201': row.transient('the push service is overloaded', wait),
  '503 errno 202': row.transient('the push service is overloaded', wait),
  '503 errno null': row.transient('the push service could not store the message', wait),
  '502 errno 900': row.transient(bridged, wait),
  '502 errno 901': row.transient(bridged, wait),
  '502 errno 902': row.transient(bridged, wait),
  '502 errno 903': row.transient(bridged, wait),
  '502 errno null': row.transient(bridged, wait),
  '429 *': row.throttled('host', 'too many messages', wait),
  '500 *': row.transient('an error inside the push service', wait),
} as const satisfies ReasonTable;

/** The code of a body of autopush's; null for every other one. */
export function mozillaCode(body: JsonObject): string | null {
  const { errno, message } = body;
  if (typeof errno !== 'number' && errno !== null) return null;
  // One number stands for every fault of VAPID; this one is about the subscription alone.
  const isMismatch = errno === 109 && message === 'VAPID public key mismatch';
  return `errno ${errno}${isMismatch ? ':KeyMismatch' : ''}`;
}
