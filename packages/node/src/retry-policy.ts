import type { Failure } from './attempt.ts';
import type { Call } from './call.ts';

/** The longest pause before the first repetition, and before any. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8_000;

/**
 * How long to wait before a request is repeated, in milliseconds, or null when it is not worth
 * while or not safe. Pauses are drawn evenly from zero to 250, 500, 1000, 2000, 4000, 8000, 8000
 * … ms, so that callers who failed together do not come back together.
 *
 * `repetition` counts from 1; `random` gives numbers from 0 to below 1.
 */
export function pauseBefore(
  repetition: number,
  call: Call,
  failure: Failure,
  random: () => number,
): number | null {
  if (!call.content.isRepeatable) return null;
  const isTurnedAway = wasTurnedAway(failure);
  if (!isTurnedAway && !(mayRunTwice(call) && mayPass(failure))) return null;
  const { retryAfterMs } = failure;
  if (isTurnedAway && retryAfterMs !== null) return retryAfterMs + random() * FIRST_PAUSE_MS;
  return random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (repetition - 1));
}

/** The server did nothing and says when to come again: any request may be repeated. */
function wasTurnedAway({ error: { status }, retryAfterMs }: Failure): boolean {
  return status === 429 || (status === 503 && retryAfterMs !== null);
}

/** By the meaning of the method (RFC 9110, 9.2.2); a POST because of its idempotency key. */
function mayRunTwice({ method }: Call): boolean {
  return method !== 'PATCH';
}

/** What another moment may change. A request that still runs may be an attempt that got lost. */
function mayPass({ error: { code, status } }: Failure): boolean {
  if (code === 'no_answer' || code === 'timed_out' || code === 'idempotency_running') return true;
  return status !== null && status >= 500;
}
