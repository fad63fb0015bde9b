import type { Outcome } from '../domain/outcome.ts';
import { toOutcome, type Reason } from './reason.ts';

/**
 * The outcome that every push has while a token endpoint refuses for this reason. It is `auth` or
 * `transient`, the two kinds that `Provider.prepare` knows: being throttled here means to wait, and
 * an answer that nobody knows means that somebody has to look.
 */
export function tokenRefusal(
  reason: Reason,
  answer: {
    readonly status: number;
    readonly code: string;
    readonly retryAfterMs: number | null;
  },
): Outcome {
  const { status, code, retryAfterMs } = answer;
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
      return toOutcome(reason, { ...answer, detail: reason.meaning, since: null });
    default:
      return reason satisfies never;
  }
}
