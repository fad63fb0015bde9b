import type { Outcome } from '../domain/outcome.ts';

/** Why a message cannot be put into a provider's words. It is found before anything is sent. */
export interface PayloadProblem {
  readonly kind: 'problem';
  readonly code: 'reserved_data_key' | 'invalid_override' | 'payload_too_large';
  /** A sentence for the caller that names the key or the field. */
  readonly detail: string;
}

export function payloadProblem(code: PayloadProblem['code'], detail: string): PayloadProblem {
  return { kind: 'problem', code, detail };
}

/** The outcome of a push whose message has this problem. */
export function problemOutcome({ code, detail }: PayloadProblem): Outcome {
  return { kind: 'payload', status: null, code, detail };
}
