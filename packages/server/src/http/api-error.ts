import { ERRORS, type ErrorCode, type FieldProblem } from '@homing/protocol';

export interface ApiErrorDetails {
  readonly errors?: readonly FieldProblem[];
  /** Further members of the problem document. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that refuses a request: one row of the error catalogue, and what to do about it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly details: ApiErrorDetails;

  constructor(code: ErrorCode, detail: string, details: ApiErrorDetails = {}) {
    super(detail);
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** A single field at fault. */
export function fieldError(pointer: string, detail: string, code = 'invalid'): ApiError {
  const named = pointer === '' ? detail : `${pointer}: ${detail}`;
  return new ApiError('validation_failed', named, { errors: [{ pointer, code, detail }] });
}

/** The keys that could judge an assertion are out of reach at the moment. */
export function keysUnavailable(
  retryAfterSeconds: number,
  members: ApiErrorDetails['members'] = {},
): ApiError {
  return new ApiError('keys_unavailable', "the app's key set cannot be fetched; try again later", {
    headers: { 'Retry-After': String(retryAfterSeconds) },
    members,
  });
}

/** The same answer for what does not exist and for what is another's. */
export function notFound(what: string): ApiError {
  return new ApiError('not_found', `this app has no such ${what}`);
}
