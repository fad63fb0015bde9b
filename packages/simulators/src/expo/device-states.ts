import { readVariant } from '../variant.ts';
import type { Parsed, VariantShapes } from '../variant.ts';

/** What Expo, or APNs and FCM behind it, make of a push token. */
export type ExpoDeviceState =
  /** Of the simulator's own project unless another is named. */
  | { readonly kind: 'live'; readonly project?: string }
  /** Refused at once, with this code in the ticket. */
  | { readonly kind: 'ticket_error'; readonly error: string }
  /** Taken, and refused in the receipt. */
  | { readonly kind: 'receipt_error'; readonly error: string }
  /** Taken, and never heard of again. */
  | { readonly kind: 'receipt_never' }
  /** The whole request that names it is refused. */
  | { readonly kind: 'invalid' }
  /** Processing breaks off at it: what stands before it in the request was taken. */
  | { readonly kind: 'breaks' };

const SHAPES = {
  live: { project: { type: 'string', optional: true } },
  ticket_error: { error: { type: 'string' } },
  receipt_error: { error: { type: 'string' } },
  receipt_never: {},
  invalid: {},
  breaks: {},
} as const satisfies VariantShapes<ExpoDeviceState['kind']>;

/** Reads a state that came as JSON. */
export function readExpoDeviceState(input: unknown, field: string): Parsed<ExpoDeviceState> {
  return readVariant<ExpoDeviceState>(input, SHAPES, field);
}
