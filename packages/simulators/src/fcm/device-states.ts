import { withRetryAfter } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { unreachable } from '../unreachable.ts';
import { readVariant } from '../variant.ts';
import type { Parsed, VariantShapes } from '../variant.ts';
import { fcmAnswers } from './answers.ts';

/** What FCM holds of a registration token or an installation id. */
export type FcmDeviceState =
  | { readonly kind: 'live' }
  | { readonly kind: 'unregistered' }
  /** An iOS app whose APNs token is gone. */
  | { readonly kind: 'ios_disabled' }
  | { readonly kind: 'sender_mismatch' }
  /** Not a token at all; Google has said so in two ways. */
  | { readonly kind: 'bad_token'; readonly body: 'message' | 'field_violation' }
  | { readonly kind: 'quota'; readonly retryAfterSeconds?: number };

const SHAPES = {
  live: {},
  unregistered: {},
  ios_disabled: {},
  sender_mismatch: {},
  bad_token: { body: { type: 'choice', choices: ['message', 'field_violation'] } },
  quota: { retryAfterSeconds: { type: 'integer', optional: true } },
} as const satisfies VariantShapes<FcmDeviceState['kind']>;

/** Reads a state that came as JSON. */
export function readFcmDeviceState(input: unknown, field: string): Parsed<FcmDeviceState> {
  return readVariant<FcmDeviceState>(input, SHAPES, field);
}

/** How FCM refuses a message to a device in this state; null when it takes the message. */
export function refusalByState(state: FcmDeviceState, target: 'token' | 'fid'): Answer | null {
  switch (state.kind) {
    case 'live':
      return null;
    case 'unregistered':
      return fcmAnswers.unregistered();
    case 'ios_disabled':
      return fcmAnswers.iosDisabled();
    case 'sender_mismatch':
      return fcmAnswers.senderMismatch();
    case 'bad_token':
      return state.body === 'message'
        ? fcmAnswers.badTokenByMessage()
        : fcmAnswers.badTokenByField(`message.${target}`);
    case 'quota':
      return withRetryAfter(fcmAnswers.quotaExceeded(), state.retryAfterSeconds);
    default:
      return unreachable(state);
  }
}
