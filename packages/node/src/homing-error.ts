import type { ErrorCode, FieldProblem, Problem } from '@homing/protocol';

/**
 * What can go wrong beside the errors of the API: no answer came, none came in time, or one came
 * that is not the API's, as of a proxy.
 */
export type TransportErrorCode = 'no_answer' | 'timed_out' | 'unexpected_answer';

export interface HomingErrorFacts {
  readonly code: ErrorCode | TransportErrorCode;
  readonly status: number | null;
  readonly detail: string;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
  readonly problem: Problem | null;
}

/**
 * Why a call came to nothing, after all repetitions that were worth while. It names neither the key
 * nor what was sent, so that it may be logged as it is.
 */
export class HomingError extends Error {
  override readonly name = 'HomingError';
  /** Stable; `docs/errors.md` and `GET /errors/{code}` say what each of the API's means. */
  readonly code: ErrorCode | TransportErrorCode;
  /** Of the HTTP answer; null where none came. */
  readonly status: number | null;
  readonly detail: string;
  /** Of the request, in the server's log and timelines too, also where no answer came. */
  readonly requestId: string;
  /** Under which a POST may be repeated by hand, without making anything twice; null for others. */
  readonly idempotencyKey: string | null;
  /** The fields at fault. */
  readonly errors: readonly FieldProblem[];
  /** The whole answer, with the members that some errors add; null where it was not the API's. */
  readonly problem: Problem | null;

  constructor({ code, status, detail, requestId, idempotencyKey, problem }: HomingErrorFacts) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.requestId = requestId;
    this.idempotencyKey = idempotencyKey;
    this.errors = problem?.errors ?? [];
    this.problem = problem;
  }
}
