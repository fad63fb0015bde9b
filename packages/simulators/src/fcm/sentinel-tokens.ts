import type { Fault } from '../fault.ts';
import type { Sentinel } from '../sentinel-tokens.ts';
import type { FcmDeviceState } from './device-states.ts';

const PREFIX = /^sim-[a-z0-9-]+:/;

/** The token prefixes that bring about a fault: `sim-<name>:`, then anything a token may hold. */
export const FCM_SENTINELS: readonly Sentinel<FcmDeviceState>[] = [
  state('unregistered', '404 UNREGISTERED', { kind: 'unregistered' }),
  state('ios-disabled', '400 INVALID_ARGUMENT with ApnsError 410', { kind: 'ios_disabled' }),
  state('sender-mismatch', '403 SENDER_ID_MISMATCH', { kind: 'sender_mismatch' }),
  state('bad-token', '400 INVALID_ARGUMENT, the older body', {
    kind: 'bad_token',
    body: 'message',
  }),
  state('bad-token-field', '400 INVALID_ARGUMENT, the newer body with a field violation', {
    kind: 'bad_token',
    body: 'field_violation',
  }),
  state('quota', '429 QUOTA_EXCEEDED with Retry-After 30', {
    kind: 'quota',
    retryAfterSeconds: 30,
  }),
  state('quota-bare', '429 QUOTA_EXCEEDED without Retry-After', { kind: 'quota' }),
  always('unavailable', '503 UNAVAILABLE', answer(503, 'UNAVAILABLE')),
  always('unavailable-later', '503 UNAVAILABLE with Retry-After 30', {
    ...answer(503, 'UNAVAILABLE'),
    retryAfterSeconds: 30,
  }),
  once('unavailable-once', '503 UNAVAILABLE, once; then accepted', answer(503, 'UNAVAILABLE')),
  always('internal', '500 INTERNAL', answer(500, 'INTERNAL')),
  always('bad-gateway', '502 with an HTML page', answer(502, '(html)')),
  always('third-party-auth', '401 THIRD_PARTY_AUTH_ERROR', answer(401, 'THIRD_PARTY_AUTH_ERROR')),
  once('unauthenticated-once', '401 for the access token, once', answer(401, 'UNAUTHENTICATED')),
  always('slow-1', 'accepted after 1 s', { kind: 'slow', delayMs: 1000 }),
  always('slow-15', 'accepted after 15 s', { kind: 'slow', delayMs: 15_000 }),
  always('silent', 'never answered', { kind: 'silence' }),
  once('reset-once', 'connection reset before the message is processed, once', { kind: 'reset' }),
  once('accepted-reset-once', 'accepted, then connection reset instead of an answer, once', {
    kind: 'accept_then_reset',
  }),
  once('accepted-unavailable-once', 'accepted, yet answered 503 UNAVAILABLE, once', {
    kind: 'accept_then_answer',
    status: 503,
    reason: 'UNAVAILABLE',
  }),
  once('refused-once', 'stream refused (RST_STREAM 7) unprocessed, once', {
    kind: 'refused_stream',
  }),
  once('goaway-once', 'GOAWAY that leaves this message unprocessed, once', {
    kind: 'goaway',
    reason: '',
    lastStream: 'before_this',
  }),
];

/** The part of a registration token that may be a sentinel; null for every usual token. */
export function fcmSentinelPrefix(token: string): string | null {
  return PREFIX.exec(token)?.[0] ?? null;
}

function state(name: string, meaning: string, value: FcmDeviceState): Sentinel<FcmDeviceState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'state', state: () => value } };
}

function always(name: string, meaning: string, fault: Fault): Sentinel<FcmDeviceState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'fault', fault, times: 'always' } };
}

function once(name: string, meaning: string, fault: Fault): Sentinel<FcmDeviceState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'fault', fault, times: 'once' } };
}

function answer(status: number, reason: string) {
  return { kind: 'answer', status, reason } as const;
}
