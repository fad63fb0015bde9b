import type { FastifyRequest } from 'fastify';
import type { KeyBook } from '../access/key-book.ts';
import type { Scope } from '../access/scopes.ts';
import type { Clock } from '../domain/clock.ts';
import { ADMIT_ALL, type RegistryContext } from '../registry/caller.ts';
import type { ApiKey, App } from '../store/apps.ts';
import { ApiError } from './api-error.ts';
import type { ClientLimit } from './client-limit.ts';
import { sha256 } from '../domain/sha256.ts';

/** Tells who a request speaks for; every refusal is an `ApiError`. */
export interface Authenticator {
  /** A back end with a key that has the scope. */
  backEnd(request: FastifyRequest, scope: Scope): Promise<ApiKey>;
  /** The same, for what writes to the registry. */
  backEndWriter(request: FastifyRequest, scope: Scope): Promise<RegistryContext>;
  /**
   * An installation with its secret, or a back end with the scope; who it is goes into the context.
   */
  installation(request: FastifyRequest, scope: Scope): Promise<RegistryContext>;
  /** The same, for writes that an installation may not make as often as it likes. */
  limitedInstallation(request: FastifyRequest, scope: Scope): Promise<RegistryContext>;
  /**
   * Whoever has the publishable key, from an origin that may use it, or a back end with the scope:
   * for what a web page has to know before it has an installation.
   */
  page(request: FastifyRequest, scope: Scope): Promise<App>;
}

export function createAuthenticator(
  keys: KeyBook,
  clock: Clock,
  limit: ClientLimit,
): Authenticator {
  const keyOf = async (request: FastifyRequest): Promise<ApiKey> => {
    const text = bearerOf(request);
    if (text === null) {
      throw new ApiError('invalid_credentials', 'send "Authorization: Bearer <key>"');
    }
    const key = await keys.find(text);
    if (key === null) {
      throw new ApiError('invalid_credentials', 'the key is not known, or was revoked or mistyped');
    }
    return key;
  };
  const backEnd = async (request: FastifyRequest, scope: Scope): Promise<ApiKey> => {
    const key = await keyOf(request);
    requireScope(key, scope);
    await keys.recordUse(key);
    return key;
  };
  const backEndWriter = async (request: FastifyRequest, scope: Scope): Promise<RegistryContext> => {
    const { app, hint } = await backEnd(request, scope);
    const caller = { kind: 'back_end', keyHint: hint } as const;
    return { app, requestId: request.id, now: clock(), caller };
  };
  const installation = async (
    request: FastifyRequest,
    scope: Scope,
    isLimited: boolean,
  ): Promise<RegistryContext> => {
    const key = await keyOf(request);
    if (key.kind === 'secret') return backEndWriter(request, scope);
    requireOrigin(request, key);
    const { app } = key;
    const [secretHash, now] = [secretHashOf(request), clock()];
    await keys.recordUse(key);
    const admit = isLimited ? limit.admit(app, idOf(request), () => request.ip, now) : ADMIT_ALL;
    return { app, requestId: request.id, now, caller: { kind: 'client', secretHash, admit } };
  };
  const page = async (request: FastifyRequest, scope: Scope): Promise<App> => {
    const key = await keyOf(request);
    if (key.kind === 'secret') requireScope(key, scope);
    else requireOrigin(request, key);
    await keys.recordUse(key);
    return key.app;
  };
  return {
    backEnd,
    backEndWriter,
    page,
    installation: (request, scope) => installation(request, scope, false),
    limitedInstallation: (request, scope) => installation(request, scope, true),
  };
}

/** What the path calls the installation; the route refuses what is no id. */
function idOf(request: FastifyRequest): string {
  const { params } = request;
  const id =
    typeof params === 'object' && params !== null && 'installation_id' in params
      ? params.installation_id
      : null;
  return typeof id === 'string' ? id : '';
}

/** The text after `Bearer `, or null. */
export function bearerOf(request: FastifyRequest): string | null {
  const header = request.headers.authorization;
  const match = header === undefined ? null : /^Bearer +(\S+)$/i.exec(header);
  return match?.[1] ?? null;
}

/** Publishable keys are public: they open client routes only. */
function requireScope(key: ApiKey, scope: Scope): void {
  if (key.kind !== 'secret') {
    throw new ApiError('invalid_credentials', 'this needs a secret key (hmg_sk_…)');
  }
  if (!key.scopes.includes(scope)) {
    throw new ApiError('scope_missing', `the key ${key.hint} lacks the scope "${scope}"`);
  }
}

/** A browser sends its origin; an app lists those it is served from. */
function requireOrigin(request: FastifyRequest, key: ApiKey): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  const allowed = key.app.allowedOrigins;
  if (!allowed.includes('*') && !allowed.includes(origin)) {
    throw new ApiError('origin_not_allowed', `add ${origin} to the app's allowed origins`);
  }
}

const SECRET_SHAPE = /^[A-Za-z0-9_-]{43}$/;

function secretHashOf(request: FastifyRequest): Buffer {
  const secret = request.headers['homing-installation-secret'];
  if (typeof secret !== 'string' || !SECRET_SHAPE.test(secret)) {
    throw new ApiError(
      'invalid_credentials',
      'send "Homing-Installation-Secret": 32 random bytes in base64url, made by the client',
    );
  }
  return sha256(secret);
}
