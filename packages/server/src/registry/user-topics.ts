import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { appendEvents } from '../store/events.ts';
import { installationsOfUser, lockInstallationRefs } from '../store/installations.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { subscribe, topicsOf, unsubscribeUser } from '../store/topics.ts';
import { inRequestTransaction } from '../store/transaction.ts';
import { findUser } from '../store/users.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

export interface UserTopicChange {
  readonly topic: string;
  readonly subscribed: boolean;
}

export type UserTopicResult =
  | {
      readonly kind: 'stored';
      /** Where the user is signed in. */
      readonly installations: number;
      /** On how many of them the subscription was changed by this. */
      readonly changed: number;
    }
  | { readonly kind: 'unknown_user' }
  /** Nothing was changed: this installation has all the topics it may have. */
  | { readonly kind: 'too_many'; readonly installationId: string };

/**
 * Subscribes a user to a topic wherever the user is signed in, or ends that. All installations or
 * none. Each subscription lasts as long as its link; those that devices made for themselves are not
 * touched, and the sequences of clients do not move.
 */
export async function changeUserTopic(
  db: Database,
  context: RegistryContext,
  userId: string,
  change: UserTopicChange,
): Promise<UserTopicResult> {
  return inRequestTransaction(db, async (tx): Promise<UserTopicResult> => {
    const { app } = context;
    const user = await findUser(tx, app.ref, userId);
    if (user === null) return { kind: 'unknown_user' };
    const linked = await lockLinked(tx, app.ref, user.ref);
    if (change.subscribed) {
      const full = await firstFull(tx, linked, change.topic);
      if (full !== null) return { kind: 'too_many', installationId: full.id };
    }
    const changed = await store(tx, context, linked, change, user.ref);
    await auditWrite(tx, context, {
      action: change.subscribed ? 'user.subscribe' : 'user.unsubscribe',
      subject: `user/${user.ref}`,
      before: null,
      after: { topic: change.topic },
    });
    return { kind: 'stored', installations: linked.length, changed };
  });
}

async function lockLinked(
  tx: Transaction,
  appRef: number,
  userRef: number,
): Promise<readonly Installation[]> {
  const found = await installationsOfUser(tx, appRef, userRef);
  const refs = found.map(({ ref }) => ref);
  // Whoever signed out while this waited for the lock is left alone.
  const locked = await lockInstallationRefs(tx, refs);
  return locked.filter(({ links }) => links.some((link) => link.userRef === userRef));
}

async function firstFull(
  tx: Transaction,
  installations: readonly Installation[],
  topic: string,
): Promise<Installation | null> {
  const topics = await topicsOf(
    tx,
    installations.map(({ ref }) => ref),
  );
  const full = installations.find(({ ref }) => {
    const others = topics.get(ref)?.filter((one) => one.topic !== topic) ?? [];
    return others.length >= LIMITS.topicsPerInstallation;
  });
  return full ?? null;
}

async function store(
  tx: Transaction,
  context: RegistryContext,
  installations: readonly Installation[],
  change: UserTopicChange,
  userRef: number,
): Promise<number> {
  const { app, caller, requestId, now } = context;
  const { topic, subscribed } = change;
  const changedRefs: number[] = [];
  for (const { ref } of installations) {
    const isChanged = subscribed
      ? await subscribe(tx, app.ref, ref, topic, userRef)
      : await unsubscribeUser(tx, ref, topic, userRef);
    if (isChanged) changedRefs.push(ref);
  }
  const kind = subscribed ? 'topic.subscribed' : 'topic.unsubscribed';
  await appendEvents(
    tx,
    { appRef: app.ref, at: now, source: sourceOf(caller), requestId },
    changedRefs.map((installationRef) => ({ installationRef, kind, cause: topic })),
  );
  return changedRefs.length;
}
