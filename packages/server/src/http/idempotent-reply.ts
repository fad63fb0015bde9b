import type { FastifyReply, FastifyRequest } from 'fastify';
import { idempotently, type StoredAnswer } from '../access/idempotency.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction, type RunTransaction } from '../store/transaction.ts';
import { ApiError, fieldError } from './api-error.ts';
import { contentHash } from './canonical-json.ts';

/**
 * Answers a POST at most once for its idempotency key, from the header or the body. A repetition
 * gets the stored answer and says so.
 */
export async function replyOnce(
  db: Database,
  appRef: number,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Transaction) => Promise<StoredAnswer>,
): Promise<FastifyReply> {
  return replyOnceIn((all) => inTransaction(db, all), appRef, request, reply, work);
}

/** The same in transactions of the caller's choice. */
export async function replyOnceIn(
  run: RunTransaction,
  appRef: number,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Transaction) => Promise<StoredAnswer>,
): Promise<FastifyReply> {
  const key = idempotencyKeyOf(request);
  const bodyHash = contentHash([
    request.method,
    request.routeOptions.url,
    request.params,
    request.body,
  ]);
  const result = await idempotently(run, { appRef, key, bodyHash }, work);
  switch (result.kind) {
    case 'running':
      throw new ApiError('idempotency_running', 'wait for the first request, or repeat later');
    case 'mismatch':
      throw new ApiError('idempotency_mismatch', 'use a new key for a new request');
    case 'answer':
      if (result.replayed) void reply.header('Idempotent-Replayed', 'true');
      return reply.code(result.answer.status).send(result.answer.body);
  }
}

function idempotencyKeyOf(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key'];
  const { body } = request;
  const member =
    typeof body === 'object' && body !== null && 'idempotency_key' in body
      ? body.idempotency_key
      : undefined;
  const key = header ?? member;
  if (key === undefined) return null;
  if (typeof key !== 'string' || key === '' || key.length > LIMITS.idempotencyKeyCharacters) {
    throw fieldError('/idempotency_key', '1 to 255 characters');
  }
  return key;
}
