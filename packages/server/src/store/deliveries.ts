import type { ProviderName } from '../domain/address.ts';
import type { DeliveryState } from '../domain/delivery.ts';
import type { Queryable } from './sql.ts';

/** One row of the ledger, with the ids that people know. */
export interface DeliveryRecord {
  readonly notificationId: string;
  readonly installationId: string;
  readonly installationRef: number;
  readonly userRef: number;
  readonly userId: string | null;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly code: string | null;
  readonly provider: ProviderName | null;
  readonly providerId: string | null;
  readonly holderVersion: number | null;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
  readonly sentAt: Date | null;
  readonly settledAt: Date;
}

/** A delivery as support sees it: with what became of its addressee afterwards. */
export interface TracedDelivery extends DeliveryRecord {
  /** When the addressee left the device, after the push went to it; null while that is not so. */
  readonly ownerLeftAt: Date | null;
}

const COLUMNS = `n.id as "notificationId", i.id as "installationId",
  d.installation_ref as "installationRef", d.user_ref as "userRef", u.id as "userId", d.state,
  nullif(d.reason, '') as reason, d.code, d.provider, d.provider_id as "providerId",
  d.holder_version as "holderVersion", d.attempts, d.possible_duplicate as "possibleDuplicate",
  d.sent_at as "sentAt", d.settled_at as "settledAt"`;
const JOINS = `join notification n using (notification_ref) join installation i using (installation_ref)
  left join app_user u on u.user_ref = d.user_ref`;

/** Derived when it is read: the ledger does not change because a device changed hands later. */
const OWNER_LEFT_AT = `(
  select l.ended_at from link l
  where l.installation_ref = d.installation_ref and l.user_ref = d.user_ref
    and l.started_at <= d.sent_at and l.ended_at >= d.sent_at
  order by l.link_ref desc limit 1) as "ownerLeftAt"`;

/** The newest deliveries to some installations, oldest first. */
export async function deliveriesToInstallations(
  db: Queryable,
  installationRefs: readonly number[],
  limit: number,
): Promise<readonly TracedDelivery[]> {
  const rows = await db<TracedDelivery[]>`
    select ${db.unsafe(COLUMNS)}, ${db.unsafe(OWNER_LEFT_AT)} from delivery d ${db.unsafe(JOINS)}
    where d.installation_ref = any(${[...installationRefs]})
    order by d.settled_at desc limit ${limit}`;
  return rows.toReversed();
}

/**
 * A notification's deliveries to one user: those addressed to the user, and those that were
 * addressed to devices on which the user is signed in.
 */
export async function deliveriesToUser(
  db: Queryable,
  day: string,
  notificationRef: number,
  userRef: number,
): Promise<readonly TracedDelivery[]> {
  return db<TracedDelivery[]>`
    select ${db.unsafe(COLUMNS)}, ${db.unsafe(OWNER_LEFT_AT)} from delivery d ${db.unsafe(JOINS)}
    where d.day = ${day} and d.notification_ref = ${notificationRef}
      and (d.user_ref = ${userRef} or (d.user_ref = 0 and d.installation_ref in (
        select l.installation_ref from link l
        where l.user_ref = ${userRef} and l.ended_at is null)))
    order by d.installation_ref`;
}

const STREAM_BATCH = 500;

/**
 * All deliveries of a notification in key order, in batches, so that memory does not grow with
 * their number: by 24 MB over a million of them, where the heap has had its size before. The next
 * batch is read when it is asked for, by a statement of its own, so that a slow reader holds no
 * connection and one that went away leaves nothing behind. Those to purged installations, whose ids
 * are gone, are left out.
 */
export async function* streamDeliveries(
  db: Queryable,
  day: string,
  notificationRef: number,
): AsyncGenerator<readonly DeliveryRecord[]> {
  let [installationRef, userRef] = [0, -1];
  for (;;) {
    // The batch is found before it is joined, and nothing but the key can find it.
    const rows = await db<(DeliveryRecord | UnnamedDelivery)[]>`
      select ${db.unsafe(COLUMNS)}
      from (
        select * from delivery
        where day = ${day} and notification_ref = ${notificationRef}
          and (installation_ref, user_ref) > (${installationRef}, ${userRef})
        order by installation_ref, user_ref limit ${STREAM_BATCH}
      ) d join notification n using (notification_ref)
        left join installation i using (installation_ref)
        left join app_user u on u.user_ref = d.user_ref
      order by d.installation_ref, d.user_ref`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.filter((row) => row.installationId !== null);
    if (rows.length < STREAM_BATCH) return;
    [installationRef, userRef] = [last.installationRef, last.userRef];
  }
}

/** To an installation that was purged since. */
type UnnamedDelivery = Omit<DeliveryRecord, 'installationId'> & { readonly installationId: null };
