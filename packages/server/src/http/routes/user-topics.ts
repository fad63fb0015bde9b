import { UserTopicAnswer } from '@homing/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { LIMITS } from '../../domain/limits.ts';
import { changeUserTopic } from '../../registry/user-topics.ts';
import type { Database } from '../../store/sql.ts';
import { fieldError, notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { requireTopic, requireUserId } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

export interface UserTopicsDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
}

const Path = Type.Object({ user_id: Type.String(), topic: Type.String() });
const ROUTE = '/v1/users/:user_id/topics/:topic';

/** `PUT|DELETE /v1/users/{id}/topics/{topic}`: wherever the user is signed in at this moment. */
export function userTopics(server: HttpServer, deps: UserTopicsDependencies): void {
  const schema = {
    params: Path,
    response: { 200: UserTopicAnswer },
    summary: 'Subscribe a user to a topic wherever signed in, or end that',
    tags: ['users'],
  };
  server.put(ROUTE, { schema }, async (request) => change(deps, request, request.params, true));
  server.delete(ROUTE, { schema }, async (request) => change(deps, request, request.params, false));
}

async function change(
  deps: UserTopicsDependencies,
  request: FastifyRequest,
  path: { readonly user_id: string; readonly topic: string },
  subscribed: boolean,
) {
  const context = await deps.authenticator.backEndWriter(request, 'users:write');
  const id = requireUserId(path.user_id, '/user_id');
  const topic = requireTopic(path.topic);
  const result = await changeUserTopic(deps.db, context, id, { topic, subscribed });
  if (result.kind === 'unknown_user') throw notFound('user');
  if (result.kind === 'too_many') {
    throw fieldError(
      '/topic',
      `installation ${result.installationId} has ${LIMITS.topicsPerInstallation} topics already`,
    );
  }
  return { installations: result.installations, changed: result.changed };
}
