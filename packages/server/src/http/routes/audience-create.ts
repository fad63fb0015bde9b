import { AudienceCreated, AudienceLine, type FieldProblem } from '@homing/protocol';
import { ListUpload, type LineProblem, type UploadResult } from '../../audience/list-upload.ts';
import type { Clock } from '../../domain/clock.ts';
import { LIMITS } from '../../domain/limits.ts';
import { formatTypedId } from '../../domain/typed-id.ts';
import type { Database } from '../../store/sql.ts';
import { ApiError, fieldError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import type { HttpServer } from '../server.ts';
import { readUpload } from '../uploaded-lines.ts';

export interface AudienceCreateDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Clears away what an upload that came to nothing has left. */
  readonly wakeMaintenance: () => void;
}

const NDJSON = 'application/x-ndjson';

/**
 * `POST /v1/audiences`: a list of users and installations, a line each, that notifications can
 * name. All of it or nothing.
 */
export function audienceCreate(server: HttpServer, deps: AudienceCreateDependencies): void {
  const { db, clock } = deps;
  // In a scope of its own, since no other route takes such a body, and this one no other.
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(NDJSON, (_request, payload, done) => done(null, payload));
    scope.post(
      '/v1/audiences',
      {
        config: { isUpload: true },
        // The lines are judged one by one as they come.
        validatorCompiler: () => () => true,
        schema: {
          consumes: [NDJSON],
          body: AudienceLine,
          response: { 201: AudienceCreated },
          summary: 'Upload a list of users and installations, as NDJSON or gzip of it',
          tags: ['audiences'],
        },
      },
      async (request, reply) => {
        const { app } = await deps.authenticator.backEnd(request, 'notifications:write');
        await using upload = await ListUpload.begin(db, app.ref, clock(), deps.wakeMaintenance);
        const result = await readUpload(request, (source) => upload.read(source));
        // What the lines say stands in for them, for the comparison with a repetition.
        const once = Object.assign(request, { body: { digest: requireLines(result) } });
        // Awaited here: without that the upload would be given up before it is complete.
        return await replyOnce(db, app.ref, once, reply, async (tx) => {
          const members = await upload.complete(tx, clock());
          return { status: 201, body: { id: formatTypedId('aud', upload.id), members } };
        });
      },
    );
  });
}

/** The digest of all lines; throws what is wrong with them. */
function requireLines(result: UploadResult): string {
  switch (result.kind) {
    case 'read':
      return result.digest;
    case 'empty':
      throw fieldError('', 'a list has a line at least');
    case 'too_many':
      throw new ApiError('body_too_large', `more than ${LIMITS.audienceLines} lines`);
    case 'bad_lines': {
      const errors = result.problems.map(toFieldProblem);
      const [first] = errors;
      const detail = `${first?.pointer ?? ''}: ${first?.detail ?? ''}`;
      throw new ApiError('validation_failed', detail, { errors });
    }
  }
}

/** Lines are numbered from 1, as editors do. */
function toFieldProblem({ line, field, detail }: LineProblem): FieldProblem {
  const tail = field === '' ? '' : `/${field}`;
  return { pointer: `/lines/${line}${tail}`, code: 'invalid', detail };
}
