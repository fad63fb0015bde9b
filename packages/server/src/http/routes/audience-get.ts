import { AudienceReport } from '@homing/protocol';
import { LIMITS } from '../../domain/limits.ts';
import { formatTypedId, parseTypedId } from '../../domain/typed-id.ts';
import { summarizeList } from '../../store/audience-lists.ts';
import type { Queryable } from '../../store/sql.ts';
import { notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { AudiencePath } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

const KEPT_MS = LIMITS.audienceDays * 86_400_000;

export interface AudienceGetDependencies {
  readonly db: Queryable;
  readonly authenticator: Authenticator;
}

/** `GET /v1/audiences/{id}`: how many a list names, and how long it is kept. */
export function audienceGet(server: HttpServer, deps: AudienceGetDependencies): void {
  server.get(
    '/v1/audiences/:audience_id',
    {
      schema: {
        params: AudiencePath,
        response: { 200: AudienceReport },
        summary: 'An uploaded list',
        tags: ['audiences'],
      },
    },
    async (request): Promise<AudienceReport> => {
      const { app } = await deps.authenticator.backEnd(request, 'notifications:read');
      const id = parseTypedId('aud', request.params.audience_id);
      const list = id === null ? null : await summarizeList(deps.db, app.ref, id);
      if (list === null) throw notFound('audience');
      return {
        id: formatTypedId('aud', list.id),
        users: list.users,
        installations: list.installations,
        has_variables: list.hasVariables,
        created_at: list.createdAt.toISOString(),
        kept_until: new Date(list.neededUntil.getTime() + KEPT_MS).toISOString(),
      };
    },
  );
}
