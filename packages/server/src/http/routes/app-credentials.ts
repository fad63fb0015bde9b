import {
  CredentialAnswer,
  CredentialInput,
  CredentialList,
  CredentialPatch,
} from '@homing/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { sealCredential, type SealedCredential } from '../../credentials/add-credential.ts';
import {
  addCredentialToApp,
  changeCredentialOfApp,
  retireCredentialOfApp,
  type CredentialChange,
} from '../../credentials/change-credentials.ts';
import type { CredentialInspection } from '../../credentials/credential-inspection.ts';
import type { Vault } from '../../credentials/sealing.ts';
import type { Clock } from '../../domain/clock.ts';
import { LIMITS } from '../../domain/limits.ts';
import { findCredentialCard, listCredentialCards } from '../../store/credential-cards.ts';
import type { Database } from '../../store/sql.ts';
import { inTransaction } from '../../store/transaction.ts';
import { ApiError, notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { replyOnce } from '../idempotent-reply.ts';
import { CredentialPath, NoContent, parseCursor, requireCredentialId } from '../parameters.ts';
import { parseCredential, parseRate } from '../parse-credential.ts';
import { renderCredential } from '../render-credential.ts';
import type { HttpServer } from '../server.ts';

export interface AppCredentialsDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly vault: Vault;
  readonly inspection: CredentialInspection;
  /** Work may have been waiting for what changes here. */
  readonly announceWork: () => void;
}

const PATH = '/v1/app/credentials';
const tags = ['credentials'];
const ListQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.pageMax })),
    after: Type.Optional(Type.String({ maxLength: 32 })),
  },
  { additionalProperties: false },
);

/** `/v1/app/credentials`: what opens the providers; the newest that fits an address serves it. */
export function appCredentials(server: HttpServer, deps: AppCredentialsDependencies): void {
  addReads(server, deps);
  addCreation(server, deps);
  addChanges(server, deps);
}

function addReads(server: HttpServer, deps: AppCredentialsDependencies): void {
  const { db, authenticator, inspection } = deps;
  const list = 'The credentials of the app, newest first, retired ones included';
  server.get(
    PATH,
    { schema: { querystring: ListQuery, response: { 200: CredentialList }, summary: list, tags } },
    async (request) => {
      const { app } = await authenticator.backEnd(request, 'credentials:read');
      const { after, limit = LIMITS.pageDefault } = request.query;
      const before = after === undefined ? null : parseCursor(after);
      const cards = await listCredentialCards(db, app.ref, { before, limit });
      const last = cards.length === limit ? (cards.at(-1)?.ref ?? null) : null;
      return {
        data: cards.map((card) => renderCredential(card, inspection)),
        page: { after: last === null ? null : String(last), limit },
      };
    },
  );
  const one = 'A credential and how it fares';
  const params = CredentialPath;
  server.get(
    `${PATH}/:credential_id`,
    { schema: { params, response: { 200: CredentialAnswer }, summary: one, tags } },
    async (request) => {
      const { app } = await authenticator.backEnd(request, 'credentials:read');
      const id = requireCredentialId(request.params.credential_id);
      const card = await findCredentialCard(db, app.ref, id);
      if (card === null) throw notFound('credential');
      return renderCredential(card, inspection);
    },
  );
}

function addCreation(server: HttpServer, deps: AppCredentialsDependencies): void {
  const { db, inspection, announceWork } = deps;
  const summary = 'Add a credential; from then on it serves what it fits';
  const response = { 201: CredentialAnswer };
  server.post(
    PATH,
    { schema: { body: CredentialInput, response, summary, tags } },
    async (request, reply) => {
      const change = await changeOf(deps, request);
      const credential = sealed(deps, change, request.body);
      const answer = await replyOnce(db, change.app.ref, request, reply, async (tx) => {
        const card = await addCredentialToApp(tx, change, credential);
        if (card === null) {
          throw new ApiError('too_many_credentials', 'retire one that is not needed any more');
        }
        return { status: 201, body: renderCredential(card, inspection) };
      });
      announceWork();
      return answer;
    },
  );
}

function addChanges(server: HttpServer, deps: AppCredentialsDependencies): void {
  const { db, inspection, announceWork } = deps;
  const params = CredentialPath;
  const response = { 200: CredentialAnswer };
  const summaryOfPatch = 'Change the name or the rate of a credential';
  server.patch(
    `${PATH}/:credential_id`,
    { schema: { params, body: CredentialPatch, response, summary: summaryOfPatch, tags } },
    async (request) => {
      const change = await changeOf(deps, request);
      const id = requireCredentialId(request.params.credential_id);
      const { name, rate } = request.body;
      const patch = { ...(name !== undefined && { name }), ...parseRate(rate) };
      const card = await inTransaction(db, (tx) => changeCredentialOfApp(tx, change, id, patch));
      if (card === null) throw notFound('live credential');
      announceWork();
      return renderCredential(card, inspection);
    },
  );
  const summary = 'Retire a credential and forget its secret; another that fits takes its place';
  server.delete(
    `${PATH}/:credential_id`,
    { schema: { params, response: { 204: NoContent }, summary, tags } },
    async (request, reply) => {
      const change = await changeOf(deps, request);
      const id = requireCredentialId(request.params.credential_id);
      const card = await inTransaction(db, (tx) => retireCredentialOfApp(tx, change, id));
      if (card === null) throw notFound('live credential');
      announceWork();
      return reply.code(204).send(null);
    },
  );
}

function sealed(
  { vault, inspection }: AppCredentialsDependencies,
  { app }: CredentialChange,
  body: CredentialInput,
): SealedCredential {
  return sealCredential(vault, { appRef: app.ref, ...parseCredential(inspection, body) });
}

async function changeOf(
  { authenticator, clock }: AppCredentialsDependencies,
  request: FastifyRequest,
): Promise<CredentialChange> {
  const { app, hint } = await authenticator.backEnd(request, 'credentials:write');
  return { app, keyHint: hint, requestId: request.id, now: clock() };
}
