import { InstallationInput, SyncAnswer } from '@homing/protocol';
import { ApiError, fieldError } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { contentHash } from '../canonical-json.ts';
import type { Identity } from '../identity.ts';
import { InstallationPath, parseInstallationId, requireSeq, requireUserId } from '../parameters.ts';
import { renderInstallation, renderSequences } from '../render-installation.ts';
import type { HttpServer } from '../server.ts';
import { toAddress, type CredentialFacts } from '../../domain/token-input.ts';
import { toDevicePatch } from '../device-patch.ts';
import type { RegistryContext } from '../../registry/caller.ts';
import { describeInstallation } from '../../registry/describe-installation.ts';
import {
  syncInstallation,
  type SyncInput,
  type SyncKeys,
  type SyncResult,
} from '../../registry/sync-installation.ts';
import type { App } from '../../store/apps.ts';
import type { Database } from '../../store/sql.ts';
import { forkedError, refusalError } from '../registry-answer.ts';

export interface InstallationPutDependencies {
  readonly db: Database;
  readonly authenticator: Authenticator;
  readonly identity: Identity;
  readonly syncKeys: SyncKeys;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
}

/** `PUT /v1/installations/{id}`: enrolment, refresh, login, logout, switch and check-in. */
export function installationPut(server: HttpServer, deps: InstallationPutDependencies): void {
  const { db, authenticator } = deps;
  server.put(
    '/v1/installations/:installation_id',
    {
      schema: {
        params: InstallationPath,
        body: InstallationInput,
        response: { 200: SyncAnswer, 201: SyncAnswer },
        summary: 'Register, refresh, sign in, sign out, switch or check in, in one packet',
        tags: ['installations'],
      },
    },
    async (request, reply) => {
      const context = await authenticator.limitedInstallation(request, 'installations:write');
      const id = parseInstallationId(request.params.installation_id);
      const input = await toSyncInput(deps, context, id, request.body);
      const result = await syncInstallation(db, context, input, deps.syncKeys);
      const synced = requireSynced(result);
      const description = await describeInstallation(db, synced.installation);
      const reader = context.caller.kind === 'client' ? 'client' : 'back_end';
      void reply.code(synced.created ? 201 : 200);
      return {
        ...renderOrders(synced.orders),
        seq: renderSequences(synced.installation),
        installation: renderInstallation(description, reader, context.now),
      };
    },
  );
}

async function toSyncInput(
  deps: InstallationPutDependencies,
  context: RegistryContext,
  installationId: string,
  body: InstallationInput,
): Promise<SyncInput> {
  const seq = requireSeq(context, body.seq, '/seq');
  const device = toDevicePatch(body);
  return {
    installationId,
    seq,
    takeover: body.takeover ?? null,
    ...(body.token !== undefined && { token: await tokenPart(deps, context.app, body.token) }),
    ...(body.user !== undefined && {
      user: await userPart(deps, context, installationId, body.user),
    }),
    ...(device !== null && { device }),
  };
}

async function tokenPart(
  deps: InstallationPutDependencies,
  app: App,
  token: InstallationInput['token'],
): Promise<NonNullable<SyncInput['token']>> {
  const hash = contentHash(token);
  if (!token) return { address: null, hash };
  const result = toAddress(token, await deps.credentialsOf(app));
  if (result.kind === 'invalid') throw fieldError(`/token${result.pointer}`, result.detail);
  return { address: result.address, hash };
}

async function userPart(
  deps: InstallationPutDependencies,
  context: RegistryContext,
  installationId: string,
  user: InstallationInput['user'],
): Promise<NonNullable<SyncInput['user']>> {
  if (!user) return { claim: null, hash: contentHash(null) };
  const userId = requireUserId(user.id, '/user/id');
  const proof = await deps.identity.prove(context, installationId, {
    userId,
    assertion: user.assertion ?? null,
    signature: user.signature ?? null,
  });
  return { claim: { id: userId, proof }, hash: contentHash({ id: userId }) };
}

function requireSynced(result: SyncResult): Extract<SyncResult, { kind: 'synced' }> {
  switch (result.kind) {
    case 'synced':
      if (result.refusedProof === null) return result;
      throw new ApiError('assertion_invalid', result.refusedProof, {
        members: { seq: renderSequences(result.installation), ...renderOrders(result.orders) },
      });
    case 'forked':
      throw forkedError();
    case 'token_held':
      throw new ApiError('token_held', 'repeat the request with this nonce as "takeover"', {
        members: { nonce: result.nonce, expires_at: result.expiresAt.toISOString() },
      });
    case 'wrong_secret':
    case 'not_found':
    case 'user_mismatch':
    case 'removed':
      throw refusalError(result.kind);
  }
}

function renderOrders(orders: Extract<SyncResult, { kind: 'synced' }>['orders']) {
  const entries = Object.entries(orders);
  return {
    applied: Object.fromEntries(entries.map(([group, order]) => [group, order !== 'superseded'])),
    reason: Object.fromEntries(entries.filter(([, order]) => order === 'superseded')),
  };
}
