import type { Queryable, Transaction } from './sql.ts';

export interface TopicSubscription {
  readonly topic: string;
  readonly scope: 'device' | 'user';
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

export async function topicsOf(
  db: Queryable,
  installationRef: number,
): Promise<readonly TopicSubscription[]> {
  const rows = await db<{ topic: string; user_ref: number }[]>`
    select topic, user_ref from topic_subscription
    where installation_ref = ${installationRef} order by topic, user_ref`;
  return rows.map((row) => ({ topic: row.topic, scope: row.user_ref === 0 ? 'device' : 'user' }));
}
