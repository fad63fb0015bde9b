import type { Outcome } from '../../domain/outcome.ts';
import { parseJsonObject } from '../json-object.ts';
import { findReason } from '../reason.ts';
import type { ReasonTable } from '../reason.ts';
import { tokenRefusal } from '../token-refusal.ts';
import type { OAuthAnswer } from '../token-exchange.ts';

/**
 * What Google's token endpoint answers instead of a token ("Using OAuth 2.0 for Server to Server").
 */
export const OAUTH_REASONS = {
  '400 invalid_grant': {
    kind: 'auth',
    scope: 'credential',
    action: 'report',
    meaning: 'wrong signature, account or key deleted, or a wrong clock',
    fix: 'Look whether account and key still exist in the Google Cloud console, and set the clock right.',
  },
  '400 invalid_scope': {
    kind: 'auth',
    scope: 'credential',
    action: 'report',
    meaning: 'the scope is not known to the account',
    fix: 'Give the account the role Firebase Cloud Messaging API Admin.',
  },
  '401 invalid_client': {
    kind: 'auth',
    scope: 'credential',
    action: 'report',
    meaning: 'the account is not known',
    fix: 'Download a new key of an existing service account, and replace the credential.',
  },
  '403 *': {
    kind: 'auth',
    scope: 'credential',
    action: 'report',
    meaning: 'the account may not get a token',
    fix: 'Look in the Google Cloud console why the account is disabled or restricted.',
  },
  '429 *': {
    kind: 'throttled',
    scope: 'credential',
    action: 'report',
    meaning: 'too many requests for tokens',
    fix: 'Wait: Homing tries again by itself.',
  },
  '5xx *': {
    kind: 'transient',
    action: 'report',
    meaning: 'the token endpoint is in trouble',
    fix: 'Wait: Homing tries again by itself.',
  },
} as const satisfies ReasonTable;

/** The outcome that every push has while the endpoint answers like this. */
export function classifyOAuthRefusal({ status, body, retryAfterMs }: OAuthAnswer): Outcome {
  const error = parseJsonObject(body)?.['error'];
  const code = typeof error === 'string' ? error : String(status);
  return tokenRefusal(findReason(OAUTH_REASONS, status, code), { status, code, retryAfterMs });
}
