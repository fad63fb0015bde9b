import { createHash } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { orderOf } from '../domain/ordering.ts';
import { appendEvents } from '../store/events.ts';
import { lockInstallation } from '../store/installations.ts';
import type { Database, Transaction } from '../store/sql.ts';
import {
  findTopicMark,
  forgetTopicMarks,
  subscribe,
  topicsOf,
  unsubscribe,
  writeTopicMark,
} from '../store/topics.ts';
import { inRequestTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

export interface TopicChange {
  readonly topic: string;
  readonly seq: number | null;
  /** Null ends the subscription. `user` lasts as long as this user is signed in. */
  readonly scope:
    | { readonly kind: 'device' }
    | { readonly kind: 'user'; readonly userId: string }
    | null;
}

export type TopicResult =
  | { readonly kind: 'stored' | 'superseded'; readonly seq: number | null }
  | { readonly kind: 'forked' | 'too_many' | AccessRefusal };

/**
 * Subscribes an installation to a topic or ends that; superseded when the user is not signed in.
 * Each topic has a sequence of its own, so that requests about two topics may overtake each other.
 */
export async function changeTopic(
  db: Database,
  context: RegistryContext,
  installationId: string,
  change: TopicChange,
): Promise<TopicResult> {
  return inRequestTransaction(db, async (tx) => {
    const { app, caller } = context;
    const installation = await lockInstallation(tx, app.ref, installationId);
    const refusal = refuseAccess(installation, caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const { topic, seq, scope } = change;
    const mark = await findTopicMark(tx, installation.ref, topic);
    const hash = createHash('sha256').update(JSON.stringify(scope)).digest();
    const order = orderOf(mark, seq, hash);
    if (order === 'forked') return { kind: 'forked' };
    const userRef = scopeRef(installation, scope);
    if (order === 'superseded' || userRef === null) return { kind: 'superseded', seq: mark.seq };
    if (order === 'replay') return { kind: 'stored', seq: mark.seq };
    if (scope !== null && (await isFull(tx, installation, topic))) return { kind: 'too_many' };
    await store(tx, context, installation, change, userRef);
    if (seq !== null) await writeTopicMark(tx, installation.ref, topic, { seq, hash });
    if (scope === null) {
      await forgetTopicMarks(tx, installation.ref, LIMITS.topicsPerInstallation);
    }
    return { kind: 'stored', seq: seq ?? mark.seq };
  });
}

async function isFull(
  tx: Transaction,
  installation: Installation,
  topic: string,
): Promise<boolean> {
  const topics = await topicsOf(tx, [installation.ref]);
  const others = topics.get(installation.ref)?.filter((one) => one.topic !== topic) ?? [];
  return others.length >= LIMITS.topicsPerInstallation;
}

/** 0 for the device, null for a user who is not signed in here. */
function scopeRef(installation: Installation, scope: TopicChange['scope']): number | null {
  if (scope === null || scope.kind === 'device') return 0;
  return installation.links.find(({ userId }) => userId === scope.userId)?.userRef ?? null;
}

async function store(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  change: TopicChange,
  userRef: number,
): Promise<void> {
  const { app, caller, requestId, now } = context;
  const { topic, scope, seq } = change;
  const changed =
    scope === null
      ? await unsubscribe(tx, installation.ref, topic)
      : await subscribe(tx, app.ref, installation.ref, topic, userRef);
  if (!changed) return;
  const kind = scope === null ? 'topic.unsubscribed' : 'topic.subscribed';
  await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
    { installationRef: installation.ref, kind, seq, cause: topic },
  ]);
  await auditWrite(tx, context, {
    action: 'installation.topic',
    subject: `installation/${installation.ref}`,
    before: null,
    after: { topic, subscribed: scope !== null },
  });
}
