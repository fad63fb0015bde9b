import { readVariant } from '../variant.ts';
import type { Parsed, VariantShapes } from '../variant.ts';

/** What Push Kit holds of a token. */
export type HmsDeviceState =
  /** Of Android or EMUI: the first and second versions of the API take it. */
  | { readonly kind: 'live' }
  /** Of HarmonyOS NEXT: only the third version takes it. */
  | { readonly kind: 'harmony' }
  /** The app was removed, or this never was a token. */
  | { readonly kind: 'illegal' }
  /** Of another app, to which this one may not push. */
  | { readonly kind: 'foreign' };

const SHAPES = {
  live: {},
  harmony: {},
  illegal: {},
  foreign: {},
} as const satisfies VariantShapes<HmsDeviceState['kind']>;

/** Reads a state that came as JSON. */
export function readHmsDeviceState(input: unknown, field: string): Parsed<HmsDeviceState> {
  return readVariant<HmsDeviceState>(input, SHAPES, field);
}
