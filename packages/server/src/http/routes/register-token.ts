import assert from 'node:assert';
import { RegisterTokenInput, SimpleAnswer } from '@homing/protocol';
import type { FastifyRequest } from 'fastify';
import { addressKey } from '../../domain/address-key.ts';
import { reportedTokenOf } from '../../domain/simple-token.ts';
import { toAddress, type CredentialFacts } from '../../domain/token-input.ts';
import { nameBasedUuid } from '../../domain/uuid.ts';
import { ADMIT_ALL, type RegistryContext } from '../../registry/caller.ts';
import type { UserClaim } from '../../registry/prove-user.ts';
import type { SyncQueue } from '../../registry/sync-queue.ts';
import type { SyncInput } from '../../registry/sync-request.ts';
import type { App } from '../../store/apps.ts';
import { ApiError, fieldError } from '../api-error.ts';
import { contentHash } from '../canonical-json.ts';
import type { ClientLimit } from '../client-limit.ts';
import { requireUserId } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';
import {
  simpleCallerOf,
  toBearer,
  type SimpleCaller,
  type SimpleCallerDependencies,
} from '../simple-caller.ts';

export interface RegisterTokenDependencies extends SimpleCallerDependencies {
  readonly syncs: SyncQueue;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
  readonly limit: ClientLimit;
}

/** `POST /register-token`, for home-grown clients: a thin caller of the one registry write. */
export function registerToken(server: HttpServer, deps: RegisterTokenDependencies): void {
  server.post(
    '/register-token',
    {
      schema: {
        body: RegisterTokenInput,
        response: { 200: SimpleAnswer },
        summary: 'Register a token, for clients written without Homing',
        tags: ['simple'],
      },
      preValidation: async (request) => explainDeviceId(request),
    },
    async (request) => {
      const caller = await simpleCallerOf(deps, request, 'login');
      requireOwnAssertion(caller, request.body);
      const input = await toSyncInput(deps, caller, request.body);
      const context = toContext(deps, caller, request, input.installationId);
      const result = await deps.syncs.submit({ kind: 'sync', context, input });
      // Where arrival order counts, nothing is ever forked.
      assert(result.kind !== 'forked');
      if (result.kind === 'token_held') {
        throw new ApiError('token_held', 'sign in again: a newer registration holds the token');
      }
      if (result.kind === 'token_challenged') {
        throw new ApiError(
          'token_held',
          'this app moves tokens by challenge, which needs a secret',
        );
      }
      if (result.kind === 'wrong_form') throw fieldError('/userId', SEVERAL_USERS);
      if (result.kind !== 'synced') throw refusalError(result.kind);
      const [refused] = result.refused;
      if (refused !== undefined) {
        const code = isOfBearer(caller, request.body) ? 'assertion_invalid' : 'user_mismatch';
        throw new ApiError(code, refused.why);
      }
      return { success: true } as const;
    },
  );
}

const SEVERAL_USERS = 'several users may be signed in: use PUT /v1/installations/{id}';

/** A back end that passes registrations on is no client in a loop. */
function toContext(
  deps: RegisterTokenDependencies,
  caller: SimpleCaller,
  request: FastifyRequest,
  installationId: string,
): RegistryContext {
  const { app } = caller;
  const now = deps.clock();
  const bearer = toBearer(caller);
  const admit =
    bearer.kind === 'key'
      ? ADMIT_ALL
      : deps.limit.admit(app, installationId, () => request.ip, now);
  return { app, requestId: request.id, now, caller: { kind: 'simple', bearer, admit } };
}

/** The installation behind a home-grown device id; never one that has a secret of its own. */
function simpleInstallationId(app: App, deviceId: string): string {
  return nameBasedUuid(app.id, `simple:${deviceId}`);
}

/** An assertion that was made for one installation signs in on no other. */
function requireOwnAssertion(caller: SimpleCaller, { deviceId }: RegisterTokenInput): void {
  if (caller.kind !== 'user' || caller.installationId === null) return;
  if (caller.installationId === simpleInstallationId(caller.app, deviceId)) return;
  throw new ApiError('assertion_invalid', '"iid" does not name the installation of "deviceId"');
}

/**
 * `getUniqueId()` returns a promise since version 10 of the library, and a promise serialises to
 * {}.
 */
function explainDeviceId(request: FastifyRequest): void {
  const { body } = request;
  if (typeof body !== 'object' || body === null || !('deviceId' in body)) return;
  if (typeof body.deviceId === 'object') {
    throw fieldError('/deviceId', 'has to be a string; write "await getUniqueId()"');
  }
}

async function toSyncInput(
  deps: RegisterTokenDependencies,
  caller: SimpleCaller,
  body: RegisterTokenInput,
): Promise<SyncInput> {
  const { app } = caller;
  const reported = reportedTokenOf(body.token, body.provider ?? null);
  const result = toAddress(reported, await deps.credentialsOf(app));
  if (result.kind === 'invalid') throw fieldError('/token', result.detail);
  const { address } = result;
  const claim = userClaim(caller, body);
  const facts = {
    ...(body.platform !== undefined && { platform: body.platform }),
    ...(body.appVersion !== undefined && { appVersion: body.appVersion }),
  };
  const clientTime = body.timestamp === undefined ? null : parseTimestamp(body.timestamp);
  return {
    installationId: simpleInstallationId(app, body.deviceId),
    seq: null,
    takeover: null,
    token: { claim: { address, key: addressKey(address) }, hash: contentHash(address) },
    device: { patch: { facts, ...(clientTime && { clientTime }) }, hash: contentHash(facts) },
    ...(claim !== undefined && {
      user: {
        claims: claim === null ? [] : [claim],
        form: 'exclusive',
        hash: contentHash(claim?.id ?? null),
      },
    }),
  };
}

/**
 * Whom the packet names: undefined leaves the user as it is, null signs out. A user's own bearer
 * always speaks of its user, so that the token never moves apart from the user it belongs to.
 */
function userClaim(caller: SimpleCaller, body: RegisterTokenInput): UserClaim | null | undefined {
  const { userId } = body;
  if (caller.kind === 'trusted') {
    if (userId === undefined || userId === null) return userId;
    const kind = caller.keyHint === null ? 'claimed' : 'trusted';
    return { id: requireUserId(String(userId), '/userId'), proof: { kind } };
  }
  if (userId === null) return { id: caller.userId, proof: { kind: 'leaving' } };
  const id = userId === undefined ? caller.userId : requireUserId(String(userId), '/userId');
  if (!isOfBearer(caller, body)) {
    const why = 'the bearer speaks for another user than "userId"';
    return { id, proof: { kind: 'contradicted', why } };
  }
  const { issuedAt, proofId } = caller;
  return { id, proof: { kind: 'proven', issuedAt, proofId } };
}

/** Whether the packet says of the bearer's user, and of nobody else, that they are there. */
function isOfBearer(caller: SimpleCaller, { userId }: RegisterTokenInput): boolean {
  return caller.kind === 'trusted' || userId === undefined || String(userId) === caller.userId;
}

/** Kept for support only; clocks of phones order nothing. Milliseconds since 1970, if plausible. */
function parseTimestamp(timestamp: number): Date | null {
  const time = new Date(timestamp);
  const isPlausible = time.getUTCFullYear() >= 1970 && time.getUTCFullYear() <= 9999;
  return isPlausible ? time : null;
}
