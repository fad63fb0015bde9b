import { readVariant } from '../variant.ts';
import type { Parsed, VariantShapes } from '../variant.ts';
import type { WebPushProblem } from './problem.ts';

/** What a Web Push service holds of a subscription. */
export type WebPushSubscriptionState =
  | { readonly kind: 'live' }
  | { readonly kind: 'unsubscribed' }
  | { readonly kind: 'unknown' }
  /** Made with another application server key than any that comes. */
  | { readonly kind: 'key_mismatch' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds?: number };

const SHAPES = {
  live: {},
  unsubscribed: {},
  unknown: {},
  key_mismatch: {},
  throttled: { retryAfterSeconds: { type: 'integer', optional: true } },
} as const satisfies VariantShapes<WebPushSubscriptionState['kind']>;

/** What is wrong with a push to a subscription in each state. */
export const PROBLEM_OF_STATE = {
  live: null,
  unsubscribed: 'gone',
  unknown: 'unknown_subscription',
  key_mismatch: 'key_mismatch',
  throttled: 'throttled',
} as const satisfies Record<WebPushSubscriptionState['kind'], WebPushProblem | null>;

/** Reads a state that came as JSON. */
export function readWebPushSubscriptionState(
  input: unknown,
  field: string,
): Parsed<WebPushSubscriptionState> {
  return readVariant<WebPushSubscriptionState>(input, SHAPES, field);
}
