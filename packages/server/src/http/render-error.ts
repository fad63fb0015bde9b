import { ERRORS, type ErrorCode, type FieldProblem, type Problem } from '@homing/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseUnavailable, isLockTimeout } from '../domain/database-fault.ts';
import { RegistryBusy } from '../domain/registry-busy.ts';
import { ApiError } from './api-error.ts';

/** Routes for home-grown clients, whose error handling expects an `error` string. */
const SIMPLE_ROUTES = new Set(['/register-token', '/delete-token']);
const RETRY_AFTER_SECONDS = 2;

/** Answers any failure of a request as problem+json (RFC 9457). */
export function renderError(
  failure: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = toApiError(failure);
  if (error.code === 'internal_error') {
    request.log.error({ err: failure, reqId: request.id }, 'request failed');
  }
  const { title, status } = ERRORS[error.code];
  const problem: Problem = {
    type: `${request.protocol}://${request.host}/errors/${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    instance: request.id,
    ...(error.details.errors && { errors: [...error.details.errors] }),
    ...error.details.members,
    ...(SIMPLE_ROUTES.has(request.routeOptions.url ?? '') && { error: title }),
  };
  if (status === 429 || status === 503) {
    void reply.header('Retry-After', error.details.headers?.['Retry-After'] ?? RETRY_AFTER_SECONDS);
  }
  return reply
    .code(status)
    .headers({ ...error.details.headers })
    .type('application/problem+json')
    .send(JSON.stringify(problem));
}

/** Everything that can go wrong, as one row of the catalogue. */
function toApiError(failure: FastifyError | Error): ApiError {
  if (failure instanceof ApiError) return failure;
  if ('validation' in failure && Array.isArray(failure.validation)) {
    return validationError(failure);
  }
  if (isDatabaseUnavailable(failure)) {
    return new ApiError('database_unavailable', 'try again; a repetition of a packet is safe');
  }
  if (failure instanceof RegistryBusy || isLockTimeout(failure)) {
    return new ApiError('registry_busy', 'try again; nothing was changed');
  }
  const code = 'code' in failure ? FRAMEWORK_CODES[failure.code] : undefined;
  if (code !== undefined) return new ApiError(code, failure.message);
  const status = 'statusCode' in failure ? failure.statusCode : 500;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ApiError('invalid_request', failure.message);
  }
  return new ApiError('internal_error', 'the request id tells us which log line to look at');
}

const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'not_found',
};

type Fault = NonNullable<FastifyError['validation']>[number];

/** Deeper pointers come first: of the branches of a union, the one that got furthest was meant. */
function validationError(failure: FastifyError): ApiError {
  const place = failure.validationContext ?? 'body';
  const faults = meantFaults(failure.validation ?? []);
  const problems = faults.map((fault): FieldProblem => {
    const extra = fault.params['additionalProperty'] ?? fault.params['missingProperty'];
    const tail = typeof extra === 'string' ? `/${escapePointer(extra)}` : '';
    const pointer = (place === 'body' ? '' : `/${place}`) + fault.instancePath + tail;
    return { pointer, code: fault.keyword, detail: describeFault(fault) };
  });
  const useful = problems.filter(({ code }) => code !== 'anyOf');
  const errors = (useful.length > 0 ? useful : problems)
    .toSorted((a, b) => depth(b) - depth(a))
    .slice(0, 20);
  const first = errors[0];
  const detail =
    first === undefined ? failure.message : `${first.pointer || 'the body'}: ${first.detail}`;
  return new ApiError('validation_failed', detail, { errors });
}

/** RFC 6901, section 3. */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

/**
 * The branches of a union of tokens are told apart by a constant: what the others miss in a token
 * of another kind says nothing. If no constant fits, the constant itself is what is wrong, said
 * once.
 */
function meantFaults(faults: readonly Fault[]): readonly Fault[] {
  const misfits = faults.filter(({ keyword }) => keyword === 'const');
  const branches = misfits.map(({ schemaPath }) => /^.*\/anyOf\/\d+\//.exec(schemaPath)?.[0]);
  const meant = faults.filter(
    ({ schemaPath }) => !branches.some((branch) => branch && schemaPath.startsWith(branch)),
  );
  const [first] = misfits;
  if (first === undefined) return faults;
  const union = first.instancePath.slice(0, first.instancePath.lastIndexOf('/'));
  if (meant.some((fault) => isInside(fault, union))) return meant;
  const allowedValues = misfits.map(({ params }) => params['allowedValue']);
  return [...meant, { ...first, keyword: 'enum', params: { allowedValues } }];
}

function isInside({ instancePath, keyword }: Fault, pointer: string): boolean {
  if (instancePath.startsWith(`${pointer}/`)) return true;
  const isMember = keyword === 'required' || keyword === 'additionalProperties';
  return isMember && instancePath === pointer;
}

function depth(problem: FieldProblem): number {
  return problem.pointer.split('/').length;
}

function describeFault(fault: {
  readonly keyword: string;
  readonly message?: string;
  readonly params: Record<string, unknown>;
}): string {
  switch (fault.keyword) {
    case 'additionalProperties':
      return 'this field is not known here; remove it or check its spelling';
    case 'required':
      return 'this field is required';
    case 'enum': {
      const allowed = fault.params['allowedValues'];
      return `has to be one of ${Array.isArray(allowed) ? allowed.join(', ') : 'the listed values'}`;
    }
    case 'pattern':
      return `does not have the form ${String(fault.params['pattern'])}`;
    default:
      return fault.message ?? 'is not valid';
  }
}
