import type { ReasonTable } from '../reason.ts';
import * as row from './reason-row.ts';

const { nothing, wait, rebind, key, ours, shorten } = row.FIXES;

/**
 * What any push service may answer (RFC 8030, RFC 8292), for what the tables of the known ones do
 * not say better.
 */
export const REASONS = {
  '404 *': row.dead('the subscription has expired, or never was one', nothing),
  '410 *': row.dead('the subscription is gone', nothing),
  '400 *': row.payload('a header or the encryption is refused', ours),
  '401 *': row.doubtfulAuth('the VAPID token is missing or refused', key),
  '403 *': row.mismatch('the subscription was made with another VAPID key', rebind),
  '402 *': row.auth('the push service wants to be paid', key),
  '405 *': row.payload('the endpoint takes no messages', ours),
  '406 *': row.throttled('host', 'too many messages', wait),
  '413 *': row.payload('the message is larger than the push service takes', shorten),
  '429 *': row.throttled('host', 'too many messages', wait),
  '3xx *': row.unclassified(
    'a redirect, which is never followed',
    'Have the page subscribe anew if its endpoint goes on redirecting.',
  ),
  '5xx *': row.transient('the push service is in trouble', wait),
  '- ENOTFOUND': row.transient(
    'the name of the push service cannot be resolved',
    'Check the DNS of the server.',
  ),
  '- permanently-removed.invalid': row.dead('the browser has removed the subscription', nothing),
  '- TIMEOUT': row.transient(
    'no connection to the push service came about in time',
    'Check that the server may connect to the push service on port 443.',
  ),
} as const satisfies ReasonTable;
