import type { Outcome } from '../../domain/outcome.ts';
import { parseJsonObject } from '../json-object.ts';
import { findReason, toOutcome } from '../reason.ts';
import type { ReasonTable } from '../reason.ts';

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

/** What an HTTP answer of the token endpoint consists of. */
export interface OAuthAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
}

/**
 * The outcome that every push has while the endpoint answers like this. It is `auth` or
 * `transient`, the two kinds that `Provider.prepare` knows: being throttled here means to wait, and
 * an answer that nobody knows means that somebody has to look.
 */
export function classifyOAuthRefusal({ status, body, retryAfterMs }: OAuthAnswer): Outcome {
  const error = parseJsonObject(body)?.['error'];
  const code = typeof error === 'string' ? error : String(status);
  const reason = findReason(OAUTH_REASONS, status, code);
  const refusal = { status, code, detail: reason.meaning, retryAfterMs, since: null };
  switch (reason.kind) {
    case 'throttled':
      return { kind: 'transient', status, code, retryAfterMs };
    case 'unclassified':
      return { kind: 'auth', status, code, scope: 'credential' };
    case 'auth':
    case 'payload':
    case 'token_dead':
    case 'token_mismatch':
    case 'transient':
      return toOutcome(reason, refusal);
    default:
      return reason satisfies never;
  }
}
