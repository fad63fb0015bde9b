import type { GroupMark } from '../domain/ordering.ts';
import { listOf, type Queryable, type Transaction } from './sql.ts';

export interface TopicSubscription {
  readonly topic: string;
  /** Whose link it ends with; null for a subscription of the device. */
  readonly userRef: number | null;
}

/** True when the subscription is new. `userRef` 0 subscribes the device whoever is signed in. */
export async function subscribe(
  tx: Transaction,
  appRef: number,
  installationRef: number,
  topic: string,
  userRef: number,
): Promise<boolean> {
  const rows = await tx`
    insert into topic_subscription (app_ref, installation_ref, topic, user_ref)
    values (${appRef}, ${installationRef}, ${topic}, ${userRef})
    on conflict do nothing returning topic`;
  return rows.length === 1;
}

/** True when there was something to end. */
export async function unsubscribe(
  tx: Transaction,
  installationRef: number,
  topic: string,
): Promise<boolean> {
  const rows = await tx`
    delete from topic_subscription
    where installation_ref = ${installationRef} and topic = ${topic} returning topic`;
  return rows.length > 0;
}

/** Ends a user's own subscription on one device; the device's stays. True when there was one. */
export async function unsubscribeUser(
  tx: Transaction,
  installationRef: number,
  topic: string,
  userRef: number,
): Promise<boolean> {
  const rows = await tx`
    delete from topic_subscription
    where installation_ref = ${installationRef} and topic = ${topic} and user_ref = ${userRef}
    returning topic`;
  return rows.length > 0;
}

/** Whether any user of the app is subscribed to one of some topics, beside devices. */
export async function hasUserSubscription(
  db: Queryable,
  appRef: number,
  topics: readonly string[],
): Promise<boolean> {
  const rows = await db`
    select 1 from topic_subscription
    where app_ref = ${appRef} and topic = any(${[...topics]}) and user_ref <> 0 limit 1`;
  return rows.length === 1;
}

/** The subscriptions of some installations, by their references; those without any are left out. */
export async function topicsOf(
  db: Queryable,
  installationRefs: readonly number[],
): Promise<TopicsByRef> {
  if (installationRefs.length === 0) return new Map();
  const rows = await db<TopicRow[]>`
    select installation_ref, topic, user_ref from topic_subscription
    where installation_ref = any(${[...installationRefs]}) order by topic, user_ref`;
  return byInstallation(rows);
}

/** The same for the ids of installations, which nobody has to know the references of yet. */
export async function topicsOfIds(
  db: Queryable,
  appRef: number,
  ids: readonly string[],
): Promise<TopicsByRef> {
  const rows = await db<TopicRow[]>`
    select installation_ref, t.topic, t.user_ref
    from installation i join topic_subscription t using (installation_ref)
    where i.app_ref = ${appRef} and i.id = any(${listOf(db, 'uuid', ids)})
    order by t.topic, t.user_ref`.execute();
  return byInstallation(rows);
}

export type TopicsByRef = ReadonlyMap<number, readonly TopicSubscription[]>;

interface TopicRow {
  readonly installation_ref: number;
  readonly topic: string;
  readonly user_ref: number;
}

function byInstallation(rows: readonly TopicRow[]): TopicsByRef {
  const grouped = Map.groupBy(rows, (row) => row.installation_ref);
  return new Map([...grouped].map(([ref, members]) => [ref, members.map(toSubscription)]));
}

function toSubscription(row: { topic: string; user_ref: number }): TopicSubscription {
  return { topic: row.topic, userRef: row.user_ref === 0 ? null : row.user_ref };
}

/** The last request of the client about a topic. */
export async function findTopicMark(
  db: Queryable,
  installationRef: number,
  topic: string,
): Promise<GroupMark> {
  const [row] = await db<GroupMark[]>`
    select seq, hash from topic_mark
    where installation_ref = ${installationRef} and topic = ${topic}`;
  return row ?? { seq: null, hash: null };
}

export async function writeTopicMark(
  tx: Transaction,
  installationRef: number,
  topic: string,
  mark: { readonly seq: number; readonly hash: Buffer },
): Promise<void> {
  await tx`
    insert into topic_mark (installation_ref, topic, seq, hash)
    values (${installationRef}, ${topic}, ${mark.seq}, ${mark.hash})
    on conflict (installation_ref, topic) do update
    set seq = excluded.seq, hash = excluded.hash`;
  await tx`
    update installation set topics_seq = greatest(topics_seq, ${mark.seq}::bigint)
    where installation_ref = ${installationRef}`;
}

/** Forgets the lowest marks of ended subscriptions beyond a number of them. */
export async function forgetTopicMarks(
  tx: Transaction,
  installationRef: number,
  keep: number,
): Promise<void> {
  await tx`
    delete from topic_mark m
    where m.installation_ref = ${installationRef} and m.topic in (
      select ended.topic from topic_mark ended
      where ended.installation_ref = ${installationRef} and not exists (
        select 1 from topic_subscription s
        where s.installation_ref = ended.installation_ref and s.topic = ended.topic)
      order by ended.seq desc offset ${keep})`;
}
