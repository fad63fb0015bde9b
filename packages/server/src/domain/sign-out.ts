import { hash } from 'node:crypto';
import { NO_CHANGES, type ChangeSet, type LinkEnd } from './change-set.ts';
import type { Installation, OpenLink } from './installation.ts';
import { latest } from './latest.ts';
import { toEndedLinks, withoutLinks } from './link-end.ts';
import { returnEvents } from './registration-events.ts';

/** What a packet without users hashes to, so that both forms of a logout are seen as one. */
export const NO_USER_HASH = hash('sha256', 'null', 'buffer');

/** How sessions end without a packet that names who is there instead. */
export interface SignOut {
  readonly endedBy: Exclude<LinkEnd, 'switched'>;
  /**
   * Orders what the client says later. Without one, time does: no assertion from before may sign in
   * again. A mark that another logout has moved further stays there.
   */
  readonly mark: { readonly seq: number; readonly hash: Buffer } | null;
  readonly at: Date;
}

/**
 * Ends some of an installation's links. Also with none, what was said before is outdated. A logout
 * is contact: the row that holds its mark must not be purged as silent, or a late login would find
 * nothing that it comes after.
 */
export function signOutChanges(
  installation: Installation,
  ended: readonly OpenLink[],
  { endedBy, mark, at }: SignOut,
): ChangeSet {
  const remaining = withoutLinks(installation, ended);
  const { ref, marks } = installation;
  const isContact = endedBy === 'logout';
  const contact = isContact
    ? { dormantSince: null, lastSeenAt: latest(installation.lastSeenAt, at) }
    : {};
  const user = mark === null || mark.seq < (marks.user.seq ?? 0) ? marks.user : mark;
  const ordered =
    mark === null
      ? { serverWriteAt: latest(installation.serverWriteAt, at) }
      : { marks: { ...marks, user } };
  return {
    ...NO_CHANGES,
    saved: [
      { ...remaining, ...ordered, ...contact, updatedAt: latest(installation.updatedAt, at) },
    ],
    endedLinks: toEndedLinks(installation, ended, endedBy, at),
    events: [
      ...ended.map(({ userRef }) => ({
        installationRef: ref,
        kind: 'user.detached' as const,
        userRef,
        seq: mark?.seq ?? null,
        cause: endedBy,
      })),
      ...(isContact ? returnEvents(installation) : []),
    ],
  };
}
