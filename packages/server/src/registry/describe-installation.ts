import type { Installation } from '../domain/installation.ts';
import { linksOfInstallation, type LinkEnd } from '../store/links.ts';
import type { Queryable } from '../store/sql.ts';
import { topicsOf, type TopicSubscription } from '../store/topics.ts';

/** An installation with what other tables know of it. */
export interface InstallationDescription {
  readonly installation: Installation;
  /** The customer's id of who is signed in. */
  readonly userId: string | null;
  readonly topics: readonly TopicSubscription[];
  readonly lastUser: {
    /** Null once that user was erased. */
    readonly id: string | null;
    readonly until: Date;
    readonly endedBy: LinkEnd;
  } | null;
}

export async function describeInstallation(
  db: Queryable,
  installation: Installation,
): Promise<InstallationDescription> {
  const [links, topics] = await Promise.all([
    linksOfInstallation(db, installation.ref, 2),
    topicsOf(db, installation.ref),
  ]);
  const open = links.find((link) => link.endedAt === null);
  const ended = links.find((link) => link.endedAt !== null);
  const lastUser =
    ended === undefined || ended.endedAt === null || ended.endedBy === null
      ? null
      : { id: ended.userId, until: ended.endedAt, endedBy: ended.endedBy };
  return { installation, userId: open?.userId ?? null, topics, lastUser };
}
