import { LIMITS } from '../domain/limits.ts';
import { eventsOf, type TimelineEvent } from '../store/events.ts';
import { linksOfUser, type LinkPeriod } from '../store/links.ts';
import { purposeTokensOf, type PurposeTokenRecord } from '../store/purpose-tokens.ts';
import type { Queryable } from '../store/sql.ts';
import {
  exportDeliveries,
  exportLists,
  exportNotifications,
  exportReceipts,
  type ExportedDelivery,
  type ExportedList,
  type ExportedNotification,
  type ExportedReceipt,
} from '../store/user-export.ts';
import type { UserRecord } from '../store/users.ts';
import { concerns } from './timeline.ts';

/** What is held about a user beside the record itself. */
export interface UserExtract {
  readonly links: readonly LinkPeriod[];
  readonly purposeTokens: readonly (PurposeTokenRecord & { readonly installationId: string })[];
  readonly events: readonly TimelineEvent[];
  readonly lists: readonly ExportedList[];
  readonly notifications: readonly ExportedNotification[];
  readonly deliveries: readonly ExportedDelivery[];
  readonly receipts: readonly ExportedReceipt[];
}

/**
 * Gathers everything that is held about a user, for a request under privacy law. What another user
 * did on the same device is not part of it.
 */
export async function exportUser(db: Queryable, user: UserRecord): Promise<UserExtract> {
  const links = await linksOfUser(db, user.ref, LIMITS.exportRows);
  const ids = new Map(links.map((link) => [link.installationRef, link.installationId]));
  const open = links.filter((link) => link.endedAt === null).map((link) => link.installationRef);
  const [events, purposeTokens, lists, notifications, deliveries, receipts] = await Promise.all([
    eventsOf(db, [...ids.keys()], LIMITS.exportRows),
    purposeTokensOf(db, open),
    exportLists(db, user.appRef, user.id),
    exportNotifications(db, user.appRef, user.id),
    exportDeliveries(db, user.ref),
    exportReceipts(db, user.ref),
  ]);
  return {
    links,
    purposeTokens: purposeTokens.map((token) => ({
      ...token,
      installationId: ids.get(token.installationRef) ?? '',
    })),
    events: events.filter((event) => concerns(event, user.id, links)),
    lists,
    notifications,
    deliveries,
    receipts,
  };
}
