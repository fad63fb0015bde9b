import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { KeyBook } from '../access/key-book.ts';
import type { Scope } from '../access/scopes.ts';
import type { Clock } from '../domain/clock.ts';
import type { RegistryContext } from '../registry/caller.ts';
import type { ApiKey } from '../store/apps.ts';
import { ApiError } from './api-error.ts';

/** Tells who a request speaks for; every refusal is an `ApiError`. */
export interface Authenticator {
  /** A back end with a key that has the scope. */
  backEnd(request: FastifyRequest, scope: Scope): Promise<ApiKey>;
  /**
   * An installation with its secret, or a back end with the scope; who it is goes into the context.
   */
  installation(request: FastifyRequest, scope: Scope): Promise<RegistryContext>;
}

export function createAuthenticator(keys: KeyBook, clock: Clock): Authenticator {
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
  return {
    async backEnd(request, scope) {
      const key = await keyOf(request);
      requireScope(key, scope);
      return key;
    },
    async installation(request, scope) {
      const key = await keyOf(request);
      const base = { app: key.app, requestId: request.id, now: clock() };
      if (key.kind === 'secret') {
        requireScope(key, scope);
        return { ...base, caller: { kind: 'back_end' } };
      }
      requireOrigin(request, key);
      return { ...base, caller: { kind: 'client', secretHash: secretHashOf(request) } };
    },
  };
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
  return createHash('sha256').update(secret).digest();
}
