import type { ReasonHelp } from '@homing/protocol';
import type { FastifyRequest } from 'fastify';
import type { AlertDraft } from '../domain/alert.ts';
import type { AnswerReason, FindAnswerReason } from '../domain/answer-reason.ts';
import type { DeliveryState } from '../domain/delivery.ts';

/** What the ledger says of a delivery, as far as it can be explained. */
export interface ExplainedDelivery {
  readonly provider: string | null;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly code: string | null;
}

/** The page of a row, on the server that the request came to. */
export function reasonUrl(request: FastifyRequest, reason: AnswerReason): string {
  const path = [reason.source, reason.status, reason.code].map(encodeURIComponent).join('/');
  return `${request.protocol}://${request.host}/reasons/${path}`;
}

/** The meaning and the fix of what stands in a delivery's way; null where nothing does. */
export function deliveryHelp(
  request: FastifyRequest,
  find: FindAnswerReason,
): (delivery: ExplainedDelivery) => ReasonHelp | null {
  return ({ provider, reason: kind, code }) =>
    provider === null || kind === null || code === null
      ? null
      : renderHelp(request, find({ provider, kind, code }));
}

/** The same for the answer that an alert was opened about. */
export function alertHelp(
  request: FastifyRequest,
  find: FindAnswerReason,
): (alert: Pick<AlertDraft, 'detail'>) => ReasonHelp | null {
  return ({ detail: { provider, code } }) =>
    typeof provider === 'string' && typeof code === 'string'
      ? renderHelp(request, find({ provider, kind: null, code }))
      : null;
}

function renderHelp(request: FastifyRequest, reason: AnswerReason | null): ReasonHelp | null {
  if (reason === null) return null;
  const { meaning, fix } = reason;
  return { meaning, fix, url: reasonUrl(request, reason) };
}
