import { Type, type Static } from 'typebox';

/**
 * Every error that the HTTP API answers with: status and title by stable code. `docs/errors.md`
 * shows the same table, and a test compares the two both ways.
 */
export const ERRORS = {
  invalid_request: { status: 400, title: 'The request could not be read' },
  invalid_credentials: { status: 401, title: 'The credentials are not valid here' },
  assertion_invalid: { status: 401, title: 'The user assertion was refused' },
  scope_missing: { status: 403, title: 'The key lacks the scope for this' },
  user_mismatch: { status: 403, title: 'The proof speaks for another user' },
  origin_not_allowed: { status: 403, title: 'This web origin is not allowed for the app' },
  not_found: { status: 404, title: 'There is nothing here' },
  method_not_allowed: { status: 405, title: 'This method is not offered here' },
  already_created: {
    status: 409,
    title: 'This was created already; its secret is not shown twice',
  },
  idempotency_running: {
    status: 409,
    title: 'A request with this idempotency key is still running',
  },
  too_many_keys: { status: 409, title: 'Two keys are live already' },
  too_many_credentials: { status: 409, title: 'The app has as many credentials as it may' },
  installation_forked: { status: 409, title: 'Two copies of this installation are alive' },
  review_changed: { status: 409, title: 'The review does not say that any more' },
  token_held: { status: 409, title: 'Another installation holds this token' },
  installation_removed: { status: 410, title: 'The installation was removed' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body has to be of another type' },
  validation_failed: { status: 422, title: 'Some fields are not valid' },
  idempotency_mismatch: { status: 422, title: 'The idempotency key was used for another body' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
  database_unavailable: { status: 503, title: 'The database is not available at the moment' },
  registry_busy: { status: 503, title: 'Something else is changing the same at the moment' },
  keys_unavailable: { status: 503, title: 'The keys that verify assertions are not available' },
  draining: { status: 503, title: 'This process is shutting down' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** One field at fault: where it is (RFC 6901), what is wrong and what would be right. */
export const FieldProblem = Type.Object({
  pointer: Type.String({ description: 'JSON pointer to the field, empty for the whole body' }),
  code: Type.String(),
  detail: Type.String(),
});
export type FieldProblem = Static<typeof FieldProblem>;

/** RFC 9457 problem details. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A page that this server serves' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable; what programs should look at' }),
    instance: Type.String({ description: 'The request id, also in X-Request-Id' }),
    errors: Type.Optional(Type.Array(FieldProblem)),
    nonce: Type.Optional(Type.String({ description: 'token_held: echo it as `takeover`' })),
    expires_at: Type.Optional(Type.String()),
    credential: Type.Optional(
      Type.Literal('installation_secret', {
        description:
          'invalid_credentials: the key is good, and the installation is not known by it',
      }),
    ),
    error: Type.Optional(Type.String({ description: 'The title again, on the simple routes' })),
  },
  { $id: 'Problem', additionalProperties: true },
);
export type Problem = Static<typeof Problem>;
