import { Applied, TopicInput } from '@homing/protocol';
import { Type } from 'typebox';
import { LIMITS } from '../../domain/limits.ts';
import { changeTopic, type TopicChange } from '../../registry/topics.ts';
import type { Database } from '../../store/sql.ts';
import { fieldError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { parseInstallationId, requireTopic, requireUserId, SeqQuery } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';
import type { FastifyRequest } from 'fastify';

export interface InstallationTopicsDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

const Path = Type.Object({ installation_id: Type.String(), topic: Type.String() });

/** `PUT|DELETE /v1/installations/{id}/topics/{topic}`. */
export function installationTopics(server: HttpServer, deps: InstallationTopicsDependencies): void {
  const schema = {
    params: Path,
    querystring: SeqQuery,
    response: { 200: Applied },
    tags: ['installations'],
  };
  server.put(
    '/v1/installations/:installation_id/topics/:topic',
    { schema: { ...schema, body: TopicInput } },
    async (request) =>
      change(deps, request, request.params, request.query.seq ?? null, toScope(request.body)),
  );
  server.delete('/v1/installations/:installation_id/topics/:topic', { schema }, async (request) =>
    change(deps, request, request.params, request.query.seq ?? null, null),
  );
}

async function change(
  deps: InstallationTopicsDependencies,
  request: FastifyRequest,
  path: { readonly installation_id: string; readonly topic: string },
  seq: number | null,
  scope: TopicChange['scope'],
) {
  const context = await deps.authenticator.installation(request, 'installations:write');
  const topic = requireTopic(path.topic);
  const result = await changeTopic(deps.db, context, parseInstallationId(path.installation_id), {
    topic,
    seq: context.caller.kind === 'client' ? seq : null,
    scope,
  });
  if (result.kind === 'stored' || result.kind === 'superseded') {
    return { applied: result.kind === 'stored', seq: result.seq };
  }
  if (result.kind !== 'too_many') throw refusalError(result.kind);
  throw fieldError('/topic', `at most ${LIMITS.topicsPerInstallation} topics per installation`);
}

function toScope(body: TopicInput): TopicChange['scope'] {
  if (body.scope === 'device') return { kind: 'device' };
  if (body.user_id === undefined) throw fieldError('/user_id', 'required with scope "user"');
  return { kind: 'user', userId: requireUserId(body.user_id, '/user_id') };
}
