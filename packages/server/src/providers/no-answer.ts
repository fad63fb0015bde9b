import type { Outcome, OutcomeKind } from '../domain/outcome.ts';
import type { Http2Answer, Http2NoAnswer, Http2NotStarted } from '@homing/h2';

/**
 * What the absence of an answer means, the same for every provider that speaks HTTP/2. The first
 * two never leave the connection pool: it offers such a request again by itself, and only when that
 * fails too does the push come back.
 */
export const WITHOUT_ANSWER = {
  HTTP2_REFUSED_STREAM: 'not_started',
  GOAWAY: 'not_started',
  NETWORK_AFTER_SEND: 'unknown',
  TIMEOUT: 'unknown',
  connect_failed: 'transient',
} as const satisfies Record<string, OutcomeKind>;

/**
 * The outcome of a refusal whose reason was lost on the way; null for every other answer. Its
 * status alone would blame the message, the credential or the token for what nobody said of them;
 * 429 and 5xx say enough.
 */
export function outcomeOfCutOff({
  status,
  isWhole,
}: Pick<Http2Answer, 'status' | 'isWhole'>): Outcome | null {
  const saysEnough = status === 429 || status >= 500;
  return isWhole || saysEnough ? null : { kind: 'unclassified', code: 'cut_off', status };
}

/**
 * The outcome of a request that got no answer. A provider that cannot be reached is `transient`, so
 * that its work backs off; the discriminator after the colon is the system's or Node's error code.
 */
export function outcomeWithoutAnswer(result: Http2NoAnswer | Http2NotStarted): Outcome {
  if (result.kind === 'no_answer') {
    return { kind: WITHOUT_ANSWER[result.code], code: result.code, status: null };
  }
  switch (result.cause) {
    case 'connect_failed': {
      const code = `connect_failed:${result.detail}`;
      return { kind: WITHOUT_ANSWER.connect_failed, code, status: null, retryAfterMs: null };
    }
    case 'invalid_request':
      return { kind: 'payload', code: result.cause, status: null, detail: result.detail };
    case 'aborted':
    case 'closed':
    case 'expired':
    case 'refused':
      return { kind: 'not_started' };
    default:
      return result.cause satisfies never;
  }
}
