import type { Fault } from '../fault.ts';
import type { Sentinel } from '../sentinel-tokens.ts';
import type { HmsDeviceState } from './device-states.ts';

const PREFIX = /^sim-[a-z0-9-]+:/;

/** The token prefixes that bring about a fault: `sim-<name>:`, then anything a token may hold. */
export const HMS_SENTINELS: readonly Sentinel<HmsDeviceState>[] = [
  state('illegal', '80100000 among others, 80300007 alone', { kind: 'illegal' }),
  state('harmony', '80300007 on v1 and v2, accepted on v3', { kind: 'harmony' }),
  state('foreign', '80300002', { kind: 'foreign' }),
  always('sensitive', '80100016', answer(200, '80100016')),
  always('flow-control', '503 without a code', answer(503, '')),
  always('flow-control-later', '503 with Retry-After 30', {
    ...answer(503, ''),
    retryAfterSeconds: 30,
  }),
  once('flow-control-once', '503 without a code, once; then accepted', answer(503, '')),
  always('internal', '500 with 81000001', answer(500, '81000001')),
  always('bad-gateway', '502 without a code', answer(502, '')),
  always('oauth-trouble', '80600003', answer(200, '80600003')),
  once('token-expired-once', '80200003 for the access token, once', answer(200, '80200003')),
  always('slow-1', 'accepted after 1 s', { kind: 'slow', delayMs: 1000 }),
  always('slow-15', 'accepted after 15 s', { kind: 'slow', delayMs: 15_000 }),
  always('silent', 'never answered', { kind: 'silence' }),
  once('reset-once', 'connection reset before the message is processed, once', { kind: 'reset' }),
  once('accepted-reset-once', 'accepted, then connection reset instead of an answer, once', {
    kind: 'accept_then_reset',
  }),
  once('accepted-internal-once', 'accepted, yet answered 500 with 81000001, once', {
    kind: 'accept_then_answer',
    status: 500,
    reason: '81000001',
  }),
];

/** The part of a token that may be a sentinel; null for every usual token. */
export function hmsSentinelPrefix(token: string): string | null {
  return PREFIX.exec(token)?.[0] ?? null;
}

function state(name: string, meaning: string, value: HmsDeviceState): Sentinel<HmsDeviceState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'state', state: () => value } };
}

function always(name: string, meaning: string, fault: Fault): Sentinel<HmsDeviceState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'fault', fault, times: 'always' } };
}

function once(name: string, meaning: string, fault: Fault): Sentinel<HmsDeviceState> {
  return { prefix: `sim-${name}:`, meaning, effect: { kind: 'fault', fault, times: 'once' } };
}

function answer(status: number, reason: string) {
  return { kind: 'answer', status, reason } as const;
}
