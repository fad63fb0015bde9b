import type { Fault } from '../fault.ts';
import type { Sentinel } from '../sentinel-tokens.ts';
import type { ApnsDeviceState } from './device-states.ts';

const PREFIX_LENGTH = 8;
// Long before any registration, so that a client which honours the timestamp keeps the token.
const LONG_AGO_MS = Date.UTC(2020, 0, 1);

/** The token prefixes that bring about a fault: eight hexadecimal digits, then anything. */
export const APNS_SENTINELS: readonly Sentinel<ApnsDeviceState>[] = [
  state('00000000', '400 BadDeviceToken: no device ever has such a token', () => ({
    kind: 'other_environment',
  })),
  state('dead0400', '400 BadDeviceToken', () => ({ kind: 'other_environment' })),
  state('dead0401', '400 DeviceTokenNotForTopic', () => ({ kind: 'other_topic' })),
  state('dead0410', '410 Unregistered as of now', (nowMs) => ({
    kind: 'unregistered',
    atMs: nowMs,
  })),
  state('dead0411', '410 ExpiredToken as of now', (nowMs) => ({ kind: 'expired', atMs: nowMs })),
  state('01d00410', '410 Unregistered since 2020, before any registration', () => ({
    kind: 'unregistered',
    atMs: LONG_AGO_MS,
  })),
  state('feed0429', '429 TooManyRequests', () => ({ kind: 'throttled' })),
  always('feed1429', '429 TooManyProviderTokenUpdates', {
    kind: 'answer',
    status: 429,
    reason: 'TooManyProviderTokenUpdates',
  }),
  always('feed0403', '403 InvalidProviderToken', {
    kind: 'answer',
    status: 403,
    reason: 'InvalidProviderToken',
  }),
  always('feed0500', '500 InternalServerError', {
    kind: 'answer',
    status: 500,
    reason: 'InternalServerError',
  }),
  always('feed0503', '503 ServiceUnavailable', {
    kind: 'answer',
    status: 503,
    reason: 'ServiceUnavailable',
  }),
  once('feed1503', '503 ServiceUnavailable, once; then accepted', {
    kind: 'answer',
    status: 503,
    reason: 'ServiceUnavailable',
  }),
  once('feed2503', '503 Shutdown, once; then accepted', {
    kind: 'answer',
    status: 503,
    reason: 'Shutdown',
  }),
  always('fade0001', 'accepted after 1 s', { kind: 'slow', delayMs: 1000 }),
  always('fade0015', 'accepted after 15 s', { kind: 'slow', delayMs: 15_000 }),
  always('fade0000', 'never answered', { kind: 'silence' }),
  once('c105ed00', 'connection reset before the push is processed, once', { kind: 'reset' }),
  once('accede00', 'accepted, then connection reset instead of an answer, once', {
    kind: 'accept_then_reset',
  }),
  once('accede03', 'accepted, yet answered 503 ServiceUnavailable, once', {
    kind: 'accept_then_answer',
    status: 503,
    reason: 'ServiceUnavailable',
  }),
  once('beef0007', 'stream refused (RST_STREAM 7) unprocessed, once', { kind: 'refused_stream' }),
  once('beef0000', 'GOAWAY that leaves this push unprocessed, once', {
    kind: 'goaway',
    reason: 'Shutdown',
    lastStream: 'before_this',
  }),
];

/** The part of a device token, in lower case, that may be a sentinel. */
export function apnsSentinelPrefix(token: string): string {
  return token.slice(0, PREFIX_LENGTH);
}

function state(
  prefix: string,
  meaning: string,
  makeState: (nowMs: number) => ApnsDeviceState,
): Sentinel<ApnsDeviceState> {
  return { prefix, meaning, effect: { kind: 'state', state: makeState } };
}

function always(prefix: string, meaning: string, fault: Fault): Sentinel<ApnsDeviceState> {
  return { prefix, meaning, effect: { kind: 'fault', fault, times: 'always' } };
}

function once(prefix: string, meaning: string, fault: Fault): Sentinel<ApnsDeviceState> {
  return { prefix, meaning, effect: { kind: 'fault', fault, times: 'once' } };
}
