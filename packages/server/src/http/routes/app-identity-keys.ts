import { IdentityKeyAnswer, IdentityKeyInput, IdentityKeyList, KeyId } from '@homing/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { IdentityKeyBook } from '../../access/identity-key-book.ts';
import {
  addKeyToApp,
  retireKeyOfApp,
  type KeyChange,
} from '../../credentials/change-identity-keys.ts';
import type { Vault } from '../../credentials/sealing.ts';
import type { Clock } from '../../domain/clock.ts';
import { listIdentityKeys, type IdentityKey } from '../../store/identity-keys.ts';
import type { Database } from '../../store/sql.ts';
import { inTransaction } from '../../store/transaction.ts';
import { ApiError, fieldError, notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { NoContent } from '../parameters.ts';
import { parseIdentityKey } from '../parse-identity-key.ts';
import type { HttpServer } from '../server.ts';

export interface AppIdentityKeysDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly vault: Vault;
  readonly identityKeys: IdentityKeyBook;
}

const KeyPath = Type.Object({ kid: KeyId });

/** `/v1/app/identity-keys`: the keys by which users are known; two of them may be live. */
export function appIdentityKeys(server: HttpServer, deps: AppIdentityKeysDependencies): void {
  const { db, vault, authenticator } = deps;
  const tags = ['app'];
  const summaryOfGet = 'The live keys that vouch for users';
  server.get(
    '/v1/app/identity-keys',
    { schema: { response: { 200: IdentityKeyList }, summary: summaryOfGet, tags } },
    async (request) => {
      const { app } = await authenticator.backEnd(request, 'app:read');
      return { data: (await listIdentityKeys(db, app.ref)).map(renderKey) };
    },
  );
  const summary = 'Add a public key, or a shared secret, that vouches for users';
  const response = { 201: IdentityKeyAnswer };
  server.post(
    '/v1/app/identity-keys',
    { schema: { body: IdentityKeyInput, response, summary, tags } },
    async (request, reply) => {
      const change = await changeOf(deps, request);
      const key = parseIdentityKey(request.body);
      return replyOnce(db, change.app.ref, request, reply, async (tx) => {
        const result = await addKeyToApp(tx, vault, change, key);
        if (result.kind !== 'added') throw refusalOf(result.kind);
        return { status: 201, body: renderKey(result.key) };
      });
    },
  );
  const summaryOfDelete = 'Retire a key: what it signed is refused from now on';
  server.delete(
    '/v1/app/identity-keys/:kid',
    { schema: { params: KeyPath, response: { 204: NoContent }, summary: summaryOfDelete, tags } },
    async (request, reply) => {
      const change = await changeOf(deps, request);
      const { kid } = request.params;
      const isRetired = await inTransaction(db, (tx) => retireKeyOfApp(tx, change, kid));
      if (!isRetired) throw notFound('live identity key');
      deps.identityKeys.forget();
      return reply.code(204).send(null);
    },
  );
}

async function changeOf(
  { authenticator, clock }: AppIdentityKeysDependencies,
  request: FastifyRequest,
): Promise<KeyChange> {
  const { app, hint } = await authenticator.backEnd(request, 'app:write');
  return { app, keyHint: hint, requestId: request.id, now: clock() };
}

function refusalOf(kind: 'too_many' | 'known_id'): ApiError {
  return kind === 'too_many'
    ? new ApiError('too_many_keys', 'two identity keys are live; retire one of them first')
    : fieldError('/kid', 'the app has, or had, a key of this id; choose another one');
}

function renderKey(key: IdentityKey): IdentityKeyAnswer {
  return {
    kid: key.keyId,
    algorithm: key.algorithm,
    public_jwk: key.publicJwk === null ? null : { ...key.publicJwk },
    created_at: key.createdAt.toISOString(),
  };
}
