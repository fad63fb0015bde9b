import type { Http2NoAnswer, Http2NotStarted } from '@homing/h2';
import type { Outcome } from '../../domain/outcome.ts';
import { outcomeWithoutAnswer } from '../no-answer.ts';

const UNRESOLVED: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** The outcome of a request without an answer; two ways to miss a host have rows of their own. */
export function outOfReach(result: Http2NoAnswer | Http2NotStarted): Outcome {
  const code = result.kind === 'not_started' ? rowOf(result) : null;
  if (code === null) return outcomeWithoutAnswer(result);
  return { kind: 'transient', code, status: null, retryAfterMs: null };
}

function rowOf({ cause, detail }: Http2NotStarted): string | null {
  if (cause !== 'connect_failed') return null;
  if (UNRESOLVED.has(detail)) return 'ENOTFOUND';
  return /TIMEDOUT|TIMEOUT/.test(detail) ? 'TIMEOUT' : null;
}
