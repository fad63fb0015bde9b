import type { Fault } from '../fault.ts';
import type { Sentinel } from '../sentinel-tokens.ts';
import type { ExpoDeviceState } from './device-states.ts';

const PREFIX = /^ExponentPushToken\[sim-[a-z0-9-]+:/;

/**
 * The token prefixes that bring about a fault: `ExponentPushToken[sim-<name>:`, then anything, and
 * the bracket. Of a request with several, the first fault strikes the whole of it.
 */
export const EXPO_SENTINELS: readonly Sentinel<ExpoDeviceState>[] = [
  state('unregistered', 'ticket DeviceNotRegistered', ticket('DeviceNotRegistered')),
  state('too-big', 'ticket MessageTooBig', ticket('MessageTooBig')),
  state('rate', 'ticket MessageRateExceeded', ticket('MessageRateExceeded')),
  state('credentials', 'ticket InvalidCredentials', ticket('InvalidCredentials')),
  state('receipt-unregistered', 'receipt DeviceNotRegistered', receipt('DeviceNotRegistered')),
  state('receipt-too-big', 'receipt MessageTooBig', receipt('MessageTooBig')),
  state('receipt-rate', 'receipt MessageRateExceeded', receipt('MessageRateExceeded')),
  state('receipt-mismatch', 'receipt MismatchSenderId', receipt('MismatchSenderId')),
  state('receipt-credentials', 'receipt InvalidCredentials', receipt('InvalidCredentials')),
  state('receipt-developer', 'receipt DeveloperError', receipt('DeveloperError')),
  state('receipt-expo', 'receipt ExpoError', receipt('ExpoError')),
  state('receipt-provider', 'receipt ProviderError', receipt('ProviderError')),
  state('receipt-never', 'accepted, and no receipt ever', { kind: 'receipt_never' }),
  state('other-project', 'a token of the project @other/project', {
    kind: 'live',
    project: '@other/project',
  }),
  state('invalid', '400 VALIDATION_ERROR for the whole request', { kind: 'invalid' }),
  state('breaks', '500 in the middle of a request: what stands before it was accepted', {
    kind: 'breaks',
  }),
  always('unauthorized', '401 UNAUTHORIZED', answer(401, 'UNAUTHORIZED')),
  always('throttled', '429 TOO_MANY_REQUESTS with Retry-After 30', {
    ...answer(429, 'TOO_MANY_REQUESTS'),
    retryAfterSeconds: 30,
  }),
  once('throttled-once', '429 TOO_MANY_REQUESTS, once', answer(429, 'TOO_MANY_REQUESTS')),
  always('unavailable', '503 with an HTML page', answer(503, '(html)')),
  once('unavailable-once', '503 with an HTML page, once; then accepted', answer(503, '(html)')),
  always('slow-1', 'accepted after 1 s', { kind: 'slow', delayMs: 1000 }),
  always('silent', 'never answered', { kind: 'silence' }),
  once('reset-once', 'connection reset before the request is processed, once', { kind: 'reset' }),
  once('accepted-reset-once', 'accepted, then connection reset instead of an answer, once', {
    kind: 'accept_then_reset',
  }),
  once('accepted-unavailable-once', 'accepted, yet answered 503, once', {
    kind: 'accept_then_answer',
    status: 503,
    reason: '(html)',
  }),
];

/** The part of a push token that may be a sentinel; null for every usual token. */
export function expoSentinelPrefix(token: string): string | null {
  return PREFIX.exec(token)?.[0] ?? null;
}

function ticket(error: string): ExpoDeviceState {
  return { kind: 'ticket_error', error };
}

function receipt(error: string): ExpoDeviceState {
  return { kind: 'receipt_error', error };
}

function prefixOf(name: string): string {
  return `ExponentPushToken[sim-${name}:`;
}

function state(name: string, meaning: string, value: ExpoDeviceState): Sentinel<ExpoDeviceState> {
  return { prefix: prefixOf(name), meaning, effect: { kind: 'state', state: () => value } };
}

function always(name: string, meaning: string, fault: Fault): Sentinel<ExpoDeviceState> {
  return { prefix: prefixOf(name), meaning, effect: { kind: 'fault', fault, times: 'always' } };
}

function once(name: string, meaning: string, fault: Fault): Sentinel<ExpoDeviceState> {
  return { prefix: prefixOf(name), meaning, effect: { kind: 'fault', fault, times: 'once' } };
}

function answer(status: number, reason: string) {
  return { kind: 'answer', status, reason } as const;
}
