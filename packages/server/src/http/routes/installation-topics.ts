import { Applied, TopicInput } from '@homing/protocol';
import { Type } from 'typebox';
import { LIMITS } from '../../domain/limits.ts';
import type { RegistryContext } from '../../registry/caller.ts';
import { changeTopic, type TopicChange } from '../../registry/topics.ts';
import type { Database } from '../../store/sql.ts';
import { fieldError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import {
  parseInstallationId,
  requireSeq,
  requireTopic,
  requireUserId,
  SeqQuery,
} from '../parameters.ts';
import { forkedError, refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationTopicsDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

const Path = Type.Object({ installation_id: Type.String(), topic: Type.String() });

interface Asked {
  readonly path: { readonly installation_id: string; readonly topic: string };
  readonly seq: number | undefined;
  readonly scope: TopicChange['scope'];
}

/** `PUT|DELETE /v1/installations/{id}/topics/{topic}`. */
export function installationTopics(server: HttpServer, deps: InstallationTopicsDependencies): void {
  const { db, authenticator } = deps;
  const schema = {
    params: Path,
    querystring: SeqQuery,
    response: { 200: Applied },
    summary: 'Subscribe a device, or the user signed in on it, to a topic; or end that',
    tags: ['installations'],
  };
  server.put(
    '/v1/installations/:installation_id/topics/:topic',
    { schema: { ...schema, body: TopicInput } },
    async (request) => {
      const context = await authenticator.limitedInstallation(request, 'installations:write');
      const { params: path, query, body } = request;
      return change(db, context, { path, seq: query.seq, scope: toScope(body) });
    },
  );
  server.delete('/v1/installations/:installation_id/topics/:topic', { schema }, async (request) => {
    const context = await authenticator.installation(request, 'installations:write');
    return change(db, context, { path: request.params, seq: request.query.seq, scope: null });
  });
}

async function change(db: Database, context: RegistryContext, asked: Asked) {
  const id = parseInstallationId(asked.path.installation_id);
  const result = await changeTopic(db, context, id, {
    topic: requireTopic(asked.path.topic),
    seq: requireSeq(context, asked.seq, '/querystring/seq'),
    scope: asked.scope,
  });
  switch (result.kind) {
    case 'stored':
    case 'superseded':
      return { applied: result.kind === 'stored', seq: result.seq };
    case 'forked':
      throw forkedError();
    case 'too_many':
      throw fieldError('/topic', `at most ${LIMITS.topicsPerInstallation} topics per installation`);
    case 'wrong_secret':
    case 'not_found':
    case 'user_mismatch':
    case 'removed':
      throw refusalError(result.kind);
  }
}

function toScope(body: TopicInput): TopicChange['scope'] {
  if (body.scope === 'device') return { kind: 'device' };
  if (body.user_id === undefined) throw fieldError('/user_id', 'required with scope "user"');
  return { kind: 'user', userId: requireUserId(body.user_id, '/user_id') };
}
