import { createHash } from 'node:crypto';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { orderOf } from '../domain/ordering.ts';
import { appendEvents } from '../store/events.ts';
import { lockInstallations, updateInstallation } from '../store/installations.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { subscribe, topicsOf, unsubscribe } from '../store/topics.ts';
import { inTransaction } from '../store/transaction.ts';
import { findUser } from '../store/users.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
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
  | { readonly kind: 'too_many' }
  | { readonly kind: AccessRefusal };

/**
 * Subscribes an installation to a topic or ends that; superseded when the user is not signed in.
 */
export async function changeTopic(
  db: Database,
  context: RegistryContext,
  installationId: string,
  change: TopicChange,
): Promise<TopicResult> {
  return inTransaction(db, async (tx) => {
    const { app, caller } = context;
    const { installation } = await lockInstallations(tx, app.ref, installationId, null);
    const refusal = refuseAccess(installation, caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const mark = installation.marks.topics;
    const hash = createHash('sha256')
      .update(JSON.stringify([change.topic, change.scope]))
      .digest();
    if (orderOf(mark, change.seq, hash) !== 'newer') return { kind: 'superseded', seq: mark.seq };
    const userRef = await scopeRef(tx, context, installation, change.scope);
    if (userRef === null) return { kind: 'superseded', seq: mark.seq };
    const count = (await topicsOf(tx, installation.ref)).length;
    if (change.scope !== null && count >= LIMITS.topicsPerInstallation) return { kind: 'too_many' };
    await store(tx, context, installation, change, userRef);
    if (change.seq !== null) {
      await updateInstallation(tx, installation.ref, {
        topics_seq: change.seq,
        topics_hash: hash,
      });
    }
    return { kind: 'stored', seq: change.seq ?? mark.seq };
  });
}

/** 0 for the device, null for a user who is not signed in here. */
async function scopeRef(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  scope: TopicChange['scope'],
): Promise<number | null> {
  if (scope === null || scope.kind === 'device') return 0;
  const user = await findUser(tx, context.app.ref, scope.userId);
  return user !== null && installation.link?.userRef === user.ref ? user.ref : null;
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
}
