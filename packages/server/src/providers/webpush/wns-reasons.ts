import { fieldValue, type HeaderField } from '@homing/h2';
import type { ReasonTable } from '../reason.ts';
import * as row from './reason-row.ts';

const { nothing, wait, rebind, key, ours, shorten } = row.FIXES;

/** What Microsoft answers: with an empty body, and its reasons in the header. */
export const WNS_REASONS = {
  '400 TTL/X-WNS-Cache-Policy conflict': row.payload(
    'the time to live and the cache policy contradict each other',
    ours,
  ),
  '400 *': row.payload('a header or the encryption is refused', ours),
  '401 *': row.doubtfulAuth('the VAPID token is refused, or the endpoint was altered', key),
  '403 *': row.mismatch('the subscription was made with another VAPID key', rebind),
  '404 *': row.dead('the channel is not valid', nothing),
  '406 *': row.throttled('host', 'too many messages', wait),
  '410 *': row.dead('the channel has expired', nothing),
  '412 *': row.transient('the device is out of reach', wait),
  '413 *': row.payload('the message is larger than the push service takes', shorten),
  '201 X-WNS-Status: dropped': row.unclassified(
    'the push service took the message and dropped it',
    'Give the notification a time to live, so that it is kept until the device is there.',
  ),
  '201 X-WNS-Status: channelthrottled': row.throttled(
    'token',
    'too many messages to this subscription',
    wait,
  ),
  '5xx *': row.transient('the push service is in trouble', wait),
} as const satisfies ReasonTable;

/** Microsoft asks for ten minutes, and does not say so in the answer. */
export const CHANNEL_THROTTLED_MS = 10 * 60 * 1000;

/** Whether an answer has fields that only Microsoft sends. */
export function isOfWns(fields: readonly HeaderField[]): boolean {
  return fields.some(({ name }) => name.startsWith('x-wns-'));
}

/** Our name for what the header says; null when it says nothing of note. */
export function wnsCode(status: number, fields: readonly HeaderField[]): string | null {
  if (status < 300) {
    const said =
      fieldValue(fields, 'x-wns-status') ?? fieldValue(fields, 'x-wns-notificationstatus');
    const fate = said?.trim().toLowerCase() ?? '';
    return fate === 'dropped' || fate === 'channelthrottled' ? `X-WNS-Status: ${fate}` : null;
  }
  const described = fieldValue(fields, 'x-wns-error-description') ?? '';
  return /conflicts with x-wns-cache-policy/i.test(described)
    ? 'TTL/X-WNS-Cache-Policy conflict'
    : null;
}
