import type { FastifyRequest } from 'fastify';
import { audienceOf, verifyAssertion } from '../access/assertion.ts';
import type { IdentityKeyBook } from '../access/identity-key-book.ts';
import type { KeyBook } from '../access/key-book.ts';
import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import { formatTypedId, parseTypedId } from '../domain/typed-id.ts';
import type { SimpleBearer } from '../registry/caller.ts';
import { findApp, listApps, type App } from '../store/apps.ts';
import type { Queryable } from '../store/sql.ts';
import { ApiError, keysUnavailable } from './api-error.ts';
import { bearerOf } from './authenticate.ts';

/** Who speaks on a simple route, and how it is known. */
export type SimpleCaller = { readonly app: App } &
  /** Null where an app takes everybody at their word. */
  (
    | { readonly kind: 'trusted'; readonly keyHint: string | null }
    | {
        readonly kind: 'user';
        readonly userId: string;
        readonly issuedAt: Date;
        readonly proofId: string;
        /** The one installation that the assertion is for; null when it names none. */
        readonly installationId: string | null;
      }
  );

/** The same, as the registry is told of it. */
export function toBearer(caller: SimpleCaller): SimpleBearer {
  if (caller.kind === 'user') return { kind: 'user', userId: caller.userId };
  return caller.keyHint === null ? { kind: 'nobody' } : { kind: 'key', hint: caller.keyHint };
}

export interface SimpleCallerDependencies {
  readonly db: Queryable;
  readonly clock: Clock;
  readonly keys: KeyBook;
  readonly identityKeys: IdentityKeyBook;
}

/**
 * Finds the app and the user behind a request of a home-grown client: by a secret key, by a user
 * assertion, or, where the only app has identity checks switched off, by nothing. A logout has to
 * work also long after the login (rule R5) and ends no more than the session of the bearer's own
 * user under a token that the caller knows, so that for one an assertion may have expired, and its
 * key may have been retired since in an ordinary rotation.
 */
export async function simpleCallerOf(
  deps: SimpleCallerDependencies,
  request: FastifyRequest,
  purpose: 'login' | 'logout',
): Promise<SimpleCaller> {
  const bearer = bearerOf(request);
  if (bearer !== null && bearer.startsWith('hmg_')) return byKey(deps.keys, bearer);
  const appId = bearer === null ? null : parseTypedId('app', audienceOf(bearer) ?? '');
  const app = appId === null ? null : await findApp(deps.db, appId);
  if (bearer === null || app === null) return withoutProof(deps.db);
  const audience = formatTypedId('app', app.id);
  const now = deps.clock();
  const isLogout = purpose === 'logout';
  const rules = { audience, installationId: null, allowExpired: isLogout };
  const keys = isLogout
    ? deps.identityKeys.keysOf(app, new Date(now.getTime() - LIMITS.retiredKeyLogoutMs))
    : deps.identityKeys.keysOf(app);
  const verdict = await verifyAssertion(bearer, rules, keys, now);
  if (verdict.kind === 'unavailable') throw keysUnavailable(verdict.retryAfterSeconds);
  if (verdict.kind !== 'valid') throw new ApiError('assertion_invalid', verdict.why);
  const { userId, issuedAt, proofId, installationId } = verdict;
  return { kind: 'user', app, userId, issuedAt, proofId, installationId };
}

async function byKey(keys: KeyBook, text: string): Promise<SimpleCaller> {
  const key = await keys.find(text);
  if (key === null || key.kind !== 'secret') {
    throw new ApiError('invalid_credentials', 'send a secret key, or an assertion of the user');
  }
  if (!key.scopes.includes('installations:write')) {
    throw new ApiError('scope_missing', 'the key lacks the scope "installations:write"');
  }
  await keys.recordUse(key);
  return { kind: 'trusted', app: key.app, keyHint: key.hint };
}

/**
 * A bearer that is neither key nor assertion, such as the app's own session, proves nothing here.
 */
async function withoutProof(db: Queryable): Promise<SimpleCaller> {
  const [app, another] = await listApps(db, 2);
  if (app !== undefined && another === undefined && app.identity === 'off') {
    return { kind: 'trusted', app, keyHint: null };
  }
  throw new ApiError(
    'invalid_credentials',
    'send "Authorization: Bearer" with a secret key or an assertion whose "aud" is the app id',
  );
}
