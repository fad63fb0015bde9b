import type { Outcome } from '../../domain/outcome.ts';
import { parseJsonObject } from '../json-object.ts';
import { findReason } from '../reason.ts';
import type { ReasonTable } from '../reason.ts';
import type { OAuthAnswer } from '../token-exchange.ts';
import { tokenRefusal } from '../token-refusal.ts';

/** What Huawei's token endpoint answers instead of a token. */
export const OAUTH_REASONS = {
  '400 error 1101': {
    kind: 'auth',
    scope: 'credential',
    action: 'report',
    meaning: 'the client id or its secret is wrong',
    fix: 'Copy client id and secret from AppGallery Connect into the credential once more.',
  },
  '429 *': {
    kind: 'throttled',
    scope: 'credential',
    action: 'report',
    meaning: 'too many requests for tokens, about a thousand in five minutes',
    fix: 'Look for another program that fetches tokens with the same client.',
  },
  '5xx *': {
    kind: 'transient',
    action: 'report',
    meaning: 'the token endpoint is in trouble',
    fix: 'Wait: Homing asks again by itself.',
  },
} as const satisfies ReasonTable;

/** The outcome that every push has while the endpoint answers like this. */
export function classifyOAuthRefusal({ status, body, retryAfterMs }: OAuthAnswer): Outcome {
  const error = parseJsonObject(body)?.['error'];
  const isSaid = typeof error === 'number' || typeof error === 'string';
  const code = isSaid ? `error ${error}` : String(status);
  return tokenRefusal(findReason(OAUTH_REASONS, status, code), { status, code, retryAfterMs });
}
