import type { Fault } from '../fault.ts';
import type { Sentinel } from '../sentinel-tokens.ts';
import type { WebPushSubscriptionState } from './subscription-states.ts';

const PREFIX = /^sim-[a-z0-9-]+:/;

/**
 * The beginnings of a subscription's id that bring about a fault: `sim-<name>:`. Each service says
 * it in its own words.
 */
export const WEB_PUSH_SENTINELS: readonly Sentinel<WebPushSubscriptionState>[] = [
  state('gone', '410, unsubscribed', { kind: 'unsubscribed' }),
  state('unknown', '404, or 400 BadDeviceToken from Apple', { kind: 'unknown' }),
  state('key-mismatch', 'made with another VAPID key: 401 from Mozilla, 400 from Apple, else 403', {
    kind: 'key_mismatch',
  }),
  state('throttled', '429 (WNS 406) with Retry-After 30', {
    kind: 'throttled',
    retryAfterSeconds: 30,
  }),
  state('throttled-bare', '429 (WNS 406) without Retry-After', { kind: 'throttled' }),
  once('gone-once', '410, once; then accepted', answer(410, 'gone')),
  always('unavailable', '503', answer(503, 'unavailable')),
  once('unavailable-once', '503, once; then accepted', answer(503, 'unavailable')),
  always('internal', '500', answer(500, 'internal')),
  always('redirected', '307 to another address', answer(307, 'redirected')),
  always('slow-1', 'accepted after 1 s', { kind: 'slow', delayMs: 1000 }),
  always('slow-15', 'accepted after 15 s', { kind: 'slow', delayMs: 15_000 }),
  always('silent', 'never answered', { kind: 'silence' }),
  once('reset-once', 'connection reset before the message is processed, once', { kind: 'reset' }),
  once('accepted-reset-once', 'accepted, then connection reset instead of an answer, once', {
    kind: 'accept_then_reset',
  }),
  once('accepted-unavailable-once', 'accepted, yet answered 503, once', {
    kind: 'accept_then_answer',
    status: 503,
    reason: 'unavailable',
  }),
  once('refused-once', 'stream refused (RST_STREAM 7) unprocessed, once', {
    kind: 'refused_stream',
  }),
];

/** The part of a subscription's id that may be a sentinel; null for every usual id. */
export function webPushSentinelPrefix(id: string): string | null {
  return PREFIX.exec(id)?.[0] ?? null;
}

function state(
  name: string,
  meaning: string,
  value: WebPushSubscriptionState,
): Sentinel<WebPushSubscriptionState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'state', state: () => value } };
}

function always(name: string, meaning: string, fault: Fault): Sentinel<WebPushSubscriptionState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'fault', fault, times: 'always' } };
}

function once(name: string, meaning: string, fault: Fault): Sentinel<WebPushSubscriptionState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'fault', fault, times: 'once' } };
}

function answer(status: number, reason: string) {
  return { kind: 'answer', status, reason } as const;
}
