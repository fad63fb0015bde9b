import type { DoorAnswer } from './door.ts';
import type { Reply } from './registry.ts';

/** A reply as it can be compared: a real nonce and a model's one have nothing in common. */
export type PlainReply = Exclude<Reply, { kind: 'token_held' }> | { readonly kind: 'token_held' };

export interface Observed {
  readonly reply: PlainReply;
  /** What a `409 token_held` handed out. */
  readonly nonce: string | null;
}

/** The part of a problem document that is looked at. */
interface Problem {
  readonly code: string;
  readonly nonce?: string;
}

export const DONE: Observed = { reply: { kind: 'done' }, nonce: null };

/** Reads the answer to a packet, whose proofs were refused for these users if for any. */
export function observeSync(answer: DoorAnswer, refused: readonly string[]): Observed {
  const applied = answer.body['applied'] as unknown as Readonly<Record<string, boolean>>;
  if (answer.status === 200 || answer.status === 201) {
    const created = answer.status === 201;
    return { reply: { kind: 'synced', created, applied }, nonce: null };
  }
  const { code } = answer.body as unknown as Problem;
  if (code !== 'assertion_invalid') return observeRefusal(answer);
  return { reply: { kind: 'assertion_invalid', applied, refused }, nonce: null };
}

/** Reads an answer that refuses a request; fails on one that no request should get. */
export function observeRefusal(answer: DoorAnswer): Observed {
  const { code: kind, nonce } = answer.body as unknown as Problem;
  switch (kind) {
    case 'token_held':
      return { reply: { kind }, nonce: nonce ?? null };
    case 'invalid_credentials':
    case 'installation_forked':
    case 'installation_removed':
      return { reply: { kind }, nonce: null };
    default:
      throw new Error(`unexpected answer ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}

/** A reply without its nonce, of which the two worlds have their own. */
export function plainReply(reply: Reply): PlainReply {
  return reply.kind === 'token_held' ? { kind: 'token_held' } : reply;
}

/** For the history of a failure. */
export function replyInWords(reply: PlainReply): string {
  switch (reply.kind) {
    case 'synced': {
      const groups = Object.entries(reply.applied);
      const orders = groups.map(
        ([group, applied]) => `${group} ${applied ? 'taken' : 'superseded'}`,
      );
      return [reply.created ? '201' : '200', ...orders].join(' ');
    }
    case 'assertion_invalid':
      return `401 assertion_invalid for ${reply.refused.join(' and ')}, and the rest is applied`;
    case 'logged_out':
      return `204, user group at ${reply.seq ?? 'no'} seq`;
    case 'signed_out':
      return `200, signed out on ${reply.count}`;
    case 'token_held':
    case 'invalid_credentials':
    case 'installation_forked':
    case 'installation_removed':
    case 'done':
      return reply.kind;
  }
}
