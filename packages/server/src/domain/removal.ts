import { tokenFingerprint } from './address-key.ts';
import { NO_CHANGES, type ChangeSet } from './change-set.ts';
import { DEFAULT_PREFERENCES, NO_DEVICE, type Installation } from './installation.ts';
import { signOutChanges } from './sign-out.ts';

/**
 * Removes an installation: everybody is signed out, and what stays of it is a tombstone without
 * address, person and device.
 */
export function removalChanges(installation: Installation, at: Date): ChangeSet {
  const { ref, links, token, device } = installation;
  const signedOut = signOutChanges(installation, links, { endedBy: 'removed', mark: null, at });
  const { platform, appVersion, sdkVersion } = device;
  const [left = installation] = signedOut.saved;
  const removed: Installation = {
    ...left,
    token: null,
    links: [],
    holderVersion: installation.holderVersion + 1,
    tokenError: null,
    permission: null,
    device: { ...NO_DEVICE, platform, appVersion, sdkVersion },
    tags: {},
    deviceTags: {},
    preferences: DEFAULT_PREFERENCES,
    dormantSince: null,
    removedAt: at,
    updatedAt: at,
  };
  const oldToken = token === null ? null : tokenFingerprint(token.address.token);
  return {
    ...NO_CHANGES,
    saved: [removed],
    endedLinks: signedOut.endedLinks,
    emptiedRefs: [ref],
    events: [...signedOut.events, { installationRef: ref, kind: 'installation.removed', oldToken }],
  };
}
