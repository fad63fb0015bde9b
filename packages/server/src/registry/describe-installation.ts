import type { Installation } from '../domain/installation.ts';
import { lastAcceptances } from '../store/acceptances.ts';
import { lastEndedLinks, type LastLink } from '../store/links.ts';
import type { Queryable } from '../store/sql.ts';
import { topicsOf, type TopicSubscription } from '../store/topics.ts';

/** An installation with what other tables know of it. */
export interface InstallationDescription {
  readonly installation: Installation;
  readonly topics: readonly TopicSubscription[];
  /** Who was signed in last, and is not any more; null when nobody was, or it is not asked for. */
  readonly lastUser: LastLink | null;
  /** The day (UTC) on which a provider last took a push for it; null as above. */
  readonly lastAcceptedOn: string | null;
}

/** Describes installations for a back end, which sees their history too; in the order given. */
export async function describeInstallations(
  db: Queryable,
  installations: readonly Installation[],
): Promise<readonly InstallationDescription[]> {
  const refs = installations.map(({ ref }) => ref);
  const [topics, lastUsers, acceptances] = await Promise.all([
    topicsOf(db, refs),
    lastEndedLinks(db, refs),
    lastAcceptances(db, refs),
  ]);
  return installations.map((installation) => ({
    installation,
    topics: topics.get(installation.ref) ?? [],
    lastUser: lastUsers.get(installation.ref) ?? null,
    lastAcceptedOn: acceptances.get(installation.ref) ?? null,
  }));
}
