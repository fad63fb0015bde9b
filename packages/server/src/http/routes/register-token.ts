import { RegisterTokenInput, SimpleAnswer } from '@homing/protocol';
import type { FastifyRequest } from 'fastify';
import { reportedTokenOf } from '../../domain/simple-token.ts';
import { toAddress, type CredentialFacts } from '../../domain/token-input.ts';
import { nameBasedUuid } from '../../domain/uuid.ts';
import type { RegistryContext } from '../../registry/caller.ts';
import type { UserClaim } from '../../registry/prove-user.ts';
import {
  syncInstallation,
  type SyncInput,
  type SyncKeys,
} from '../../registry/sync-installation.ts';
import type { App } from '../../store/apps.ts';
import type { Database } from '../../store/sql.ts';
import { ApiError, fieldError } from '../api-error.ts';
import { contentHash } from '../canonical-json.ts';
import { requireUserId } from '../parameters.ts';
import { refusalError } from '../registry-answer.ts';
import type { HttpServer } from '../server.ts';
import {
  simpleCallerOf,
  type SimpleCaller,
  type SimpleCallerDependencies,
} from '../simple-caller.ts';

export interface RegisterTokenDependencies extends SimpleCallerDependencies {
  readonly db: Database;
  readonly syncKeys: SyncKeys;
  readonly credentialsOf: (app: App) => Promise<readonly CredentialFacts[]>;
  readonly limitRegistration: (context: RegistryContext, id: string, address: string) => void;
}

/** `POST /register-token`, for home-grown clients: a thin caller of the one registry write. */
export function registerToken(server: HttpServer, deps: RegisterTokenDependencies): void {
  server.post(
    '/register-token',
    {
      schema: { body: RegisterTokenInput, response: { 200: SimpleAnswer }, tags: ['simple'] },
      preValidation: async (request) => explainDeviceId(request),
    },
    async (request) => {
      const caller = await simpleCallerOf(deps, request, false);
      const { body } = request;
      const context: RegistryContext = {
        app: caller.app,
        caller: { kind: 'simple' },
        requestId: request.id,
        now: deps.clock(),
      };
      const input = await toSyncInput(deps, caller, body);
      deps.limitRegistration(context, input.installationId, request.ip);
      const result = await syncInstallation(deps.db, context, input, deps.syncKeys);
      if (result.kind === 'wrong_secret' || result.kind === 'removed') {
        throw refusalError(result.kind === 'removed' ? 'removed' : 'not_found');
      }
      if (isMismatch(caller, body)) {
        throw new ApiError('user_mismatch', 'the bearer speaks for another user than "userId"');
      }
      if (result.kind === 'synced' && result.refusedProof !== null) {
        throw new ApiError('assertion_invalid', result.refusedProof);
      }
      return { success: true } as const;
    },
  );
}

/** The installation behind a home-grown device id; never one that has a secret of its own. */
function simpleInstallationId(app: App, deviceId: string): string {
  return nameBasedUuid(app.id, `simple:${deviceId}`);
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
    token: { address: result.address, hash: contentHash(result.address) },
    device: { patch: { facts, ...(clientTime && { clientTime }) }, hash: contentHash(facts) },
    ...(claim !== undefined && { user: { claim, hash: contentHash(claim?.id ?? null) } }),
  };
}

/** Undefined leaves the user as it is, null signs out. */
function userClaim(caller: SimpleCaller, body: RegisterTokenInput): UserClaim | null | undefined {
  if (body.userId === undefined) return undefined;
  if (body.userId === null) return null;
  const id = requireUserId(String(body.userId), '/userId');
  if (caller.kind === 'trusted') return { id, proof: { kind: 'trusted' } };
  if (isMismatch(caller, body)) {
    return { id, proof: { kind: 'contradicted', why: 'the bearer is of another user' } };
  }
  const { issuedAt, proofId } = caller;
  return { id, proof: { kind: 'proven', issuedAt, proofId } };
}

function isMismatch(caller: SimpleCaller, body: RegisterTokenInput): boolean {
  if (caller.kind !== 'user' || body.userId === undefined || body.userId === null) return false;
  return caller.userId !== String(body.userId);
}

/** Kept for support only; clocks of phones order nothing. Milliseconds since 1970, if plausible. */
function parseTimestamp(timestamp: number): Date | null {
  const time = new Date(timestamp);
  const isPlausible = time.getUTCFullYear() >= 1970 && time.getUTCFullYear() <= 9999;
  return isPlausible ? time : null;
}
