import type { Answer } from '../answer.ts';
import { unreachable } from '../unreachable.ts';
import { readVariant } from '../variant.ts';
import type { Parsed, VariantShapes } from '../variant.ts';
import { goneAnswer, refusal } from './answers.ts';

/** What APNs holds of a device token. Times are milliseconds since the epoch. */
export type ApnsDeviceState =
  /** With a topic (a bundle id), other apps' pushes to the token are refused. */
  | { readonly kind: 'live'; readonly topic?: string }
  | { readonly kind: 'other_environment' }
  | { readonly kind: 'other_topic' }
  /** Live until then, gone from then on. */
  | { readonly kind: 'unregistered'; readonly atMs: number }
  | { readonly kind: 'expired'; readonly atMs: number }
  | { readonly kind: 'throttled' };

const SHAPES = {
  live: { topic: { type: 'string', optional: true } },
  other_environment: {},
  other_topic: {},
  unregistered: { atMs: { type: 'integer' } },
  expired: { atMs: { type: 'integer' } },
  throttled: {},
} as const satisfies VariantShapes<ApnsDeviceState['kind']>;

/** Reads a state that came as JSON. */
export function readApnsDeviceState(input: unknown, field: string): Parsed<ApnsDeviceState> {
  return readVariant<ApnsDeviceState>(input, SHAPES, field);
}

/** How APNs refuses a push to a device in this state; null when it takes the push. */
export function refusalByState(
  state: ApnsDeviceState,
  push: { readonly apnsId: string; readonly bundleId: string },
  nowMs: number,
): Answer | null {
  switch (state.kind) {
    case 'live':
      return state.topic === undefined || state.topic === push.bundleId
        ? null
        : refusal('DeviceTokenNotForTopic', push.apnsId);
    case 'other_environment':
      return refusal('BadDeviceToken', push.apnsId);
    case 'other_topic':
      return refusal('DeviceTokenNotForTopic', push.apnsId);
    case 'unregistered':
      return nowMs < state.atMs ? null : goneAnswer('Unregistered', state.atMs, push.apnsId);
    case 'expired':
      return nowMs < state.atMs ? null : goneAnswer('ExpiredToken', state.atMs, push.apnsId);
    case 'throttled':
      return refusal('TooManyRequests', push.apnsId);
    default:
      return unreachable(state);
  }
}
