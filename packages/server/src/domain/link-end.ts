import type { EndedLink, LinkEnd } from './change-set.ts';
import type { Installation, OpenLink } from './installation.ts';

/**
 * An installation without some of its links. Tags that were set while several users were signed in
 * belong to all of them, so they go with the first who leaves; device tags stay.
 */
export function withoutLinks(installation: Installation, ended: readonly OpenLink[]): Installation {
  if (ended.length === 0) return installation;
  return {
    ...installation,
    links: installation.links.filter((link) => !ended.includes(link)),
    tags: {},
    holderVersion: installation.holderVersion + 1,
  };
}

/** The end of some of an installation's links, for the history; `before` still has them. */
export function toEndedLinks(
  before: Installation,
  ended: readonly OpenLink[],
  endedBy: LinkEnd,
  at: Date,
): readonly EndedLink[] {
  const isLast = before.links.every((link) => ended.includes(link));
  const { appVersion } = before.device;
  return ended.map(({ userRef }) => ({
    installationRef: before.ref,
    userRef,
    at,
    endedBy,
    appVersion,
    isLast,
  }));
}
