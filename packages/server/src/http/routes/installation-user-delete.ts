import { Type } from 'typebox';
import type { RegistryContext } from '../../registry/caller.ts';
import type { SyncQueue } from '../../registry/sync-queue.ts';
import type { LogoutResult } from '../../registry/sync-request.ts';
import type { Authenticator } from '../authenticate.ts';
import {
  InstallationPath,
  NoContent,
  parseInstallationId,
  requireUserId,
  SeqQuery,
} from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';

export interface InstallationUserDeleteDependencies {
  readonly syncs: SyncQueue;
  readonly authenticator: Authenticator;
}

const OneUserPath = Type.Object({ installation_id: Type.String(), user_id: Type.String() });

/** Logout (rule R5): always works, never rate-limited. */
export function installationUserDelete(
  server: HttpServer,
  deps: InstallationUserDeleteDependencies,
): void {
  server.delete(
    '/v1/installations/:installation_id/user',
    {
      schema: {
        params: InstallationPath,
        querystring: SeqQuery,
        response: { 204: NoContent },
        summary: 'Sign out whoever is signed in; always works',
        tags: ['installations'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.installation(request, 'installations:write');
      const { params, query } = request;
      const result = await signOut(deps.syncs, context, { ...params, seq: query.seq }, null);
      if (result.seq !== null) void reply.header('Homing-Seq', result.seq);
      return reply.code(204).send(null);
    },
  );
  server.delete(
    '/v1/installations/:installation_id/users/:user_id',
    {
      schema: {
        params: OneUserPath,
        querystring: SeqQuery,
        response: { 204: NoContent },
        summary: 'Sign out one user and nobody else; always works',
        tags: ['installations'],
      },
    },
    async (request, reply) => {
      const context = await deps.authenticator.installation(request, 'installations:write');
      const { params, query } = request;
      const userId = requireUserId(params.user_id, '/user_id');
      const result = await signOut(deps.syncs, context, { ...params, seq: query.seq }, userId);
      if (result.seq !== null) void reply.header('Homing-Seq', result.seq);
      return reply.code(204).send(null);
    },
  );
}

async function signOut(
  syncs: SyncQueue,
  context: RegistryContext,
  asked: { readonly installation_id: string; readonly seq?: number | undefined },
  userId: string | null,
): Promise<Extract<LogoutResult, { kind: 'signed_out' }>> {
  const installationId = parseInstallationId(asked.installation_id);
  const seq = context.caller.kind === 'client' ? (asked.seq ?? null) : null;
  const logout = { installationId, seq, userId, holding: null };
  const result = await syncs.signOut({ kind: 'logout', context, logout });
  if (result.kind !== 'signed_out') throw refusalError(result.kind);
  return result;
}
