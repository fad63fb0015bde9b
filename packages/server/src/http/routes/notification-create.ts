import { NotificationAccepted, NotificationInput } from '@homing/protocol';
import type { Clock } from '../../domain/clock.ts';
import { LIMITS } from '../../domain/limits.ts';
import { templateProblem } from '../../domain/template.ts';
import { parseTopics } from '../../domain/topic-expression.ts';
import { formatTypedId } from '../../domain/typed-id.ts';
import {
  acceptNotification,
  type AcceptedNotification,
} from '../../sending/accept-notification.ts';
import type { SharedTransactions } from '../../store/shared-transactions.ts';
import type { Database } from '../../store/sql.ts';
import { inRequestTransaction, type RunTransaction } from '../../store/transaction.ts';
import { fieldError, notFound } from '../api-error.ts';
import type { Authenticator } from '../authenticate.ts';
import { checkPurpose } from '../check-purpose.ts';
import { replyOnceIn } from '../idempotent-reply.ts';
import { parseInstallationId, requireUserId } from '../parameters.ts';
import type { HttpServer } from '../server.ts';

export interface NotificationCreateDependencies {
  readonly db: Database;
  readonly shared: SharedTransactions;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Tells workers, after the commit, that there is work. */
  readonly announceWork: () => void;
}

/** `POST /v1/notifications`: 202 means committed. */
export function notificationCreate(server: HttpServer, deps: NotificationCreateDependencies): void {
  server.post(
    '/v1/notifications',
    {
      schema: {
        body: NotificationInput,
        response: { 202: NotificationAccepted },
        summary: 'Notify an audience; 202 means committed',
        tags: ['notifications'],
      },
    },
    async (request, reply) => {
      const { app, hint } = await deps.authenticator.backEnd(request, 'notifications:write');
      const sender = { app, keyHint: hint, requestId: request.id };
      const input = checkNotification(request.body);
      const run = transactionsFor(deps, input);
      const answer = await replyOnceIn(run, app.ref, request, reply, async (tx) => {
        const accepted = await acceptNotification(tx, sender, input, deps.clock());
        if (accepted === null) throw notFound('list');
        return { status: 202, body: renderAccepted(accepted) };
      });
      deps.announceWork();
      return answer;
    },
  );
}

/**
 * A few named users are looked up and stored in moments, so that such notifications share their
 * transactions: an acceptance has ten statements and a commit.
 */
function transactionsFor(
  { db, shared }: NotificationCreateDependencies,
  { audience }: NotificationInput,
): RunTransaction {
  return 'users' in audience && audience.users.length <= LIMITS.roundDeliveries
    ? (work) => shared.run(work)
    : (work) => inRequestTransaction(db, work);
}

/** What the schema cannot say about a notification; throws the field at fault. */
export function checkNotification(input: NotificationInput): NotificationInput {
  const { audience, content, locales, recipient_variables: variables } = input;
  if (!('users' in audience) && variables !== undefined) {
    throw fieldError('/recipient_variables', 'need an audience of users');
  }
  checkAudience(audience);
  checkPurpose(input);
  checkTemplates(content, '/content');
  for (const [locale, localized] of Object.entries(locales ?? {})) {
    checkTemplates(localized, `/locales/${locale}`);
  }
  return input;
}

function checkAudience(audience: NotificationInput['audience']): void {
  if ('users' in audience) {
    for (const [index, id] of audience.users.entries()) {
      requireUserId(id, `/audience/users/${index}`);
    }
  } else if ('installations' in audience) {
    for (const [index, id] of audience.installations.entries()) {
      parseInstallationId(id, `/audience/installations/${index}`);
    }
  } else if ('topics' in audience) {
    const parsed = parseTopics(audience.topics);
    if (parsed.kind === 'expression') return;
    const { position, detail } = parsed;
    throw fieldError('/audience/topics', `character ${position}: ${detail}`, 'expression');
  }
}

/** Every text in the content, at any depth, is a template. */
function checkTemplates(value: unknown, pointer: string): void {
  if (typeof value === 'string') {
    const problem = templateProblem(value);
    if (problem !== null) throw fieldError(pointer, problem, 'template');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) checkTemplates(member, `${pointer}/${key}`);
  }
}

function renderAccepted(accepted: AcceptedNotification): NotificationAccepted {
  return {
    id: formatTypedId('ntf', accepted.id),
    status: 'accepted',
    user_bound: accepted.userBound,
    ttl_seconds: accepted.ttlSeconds,
    ...(accepted.ttlShortened && {
      warnings: [
        {
          code: 'ttl_shortened',
          detail: `user-bound content waits at most ${accepted.ttlSeconds} seconds at a provider`,
        },
      ],
    }),
  };
}
