import { tokenFingerprint } from './address-key.ts';
import type { ChangeSet } from './change-set.ts';
import type { DeviceFacts, Installation } from './installation.ts';
import { toEndedLinks, withoutLinks } from './link-end.ts';

/** What broken devices and emulators report as an id of their own; it tells none from another. */
const SHARED_VENDOR_IDS: ReadonlySet<string> = new Set([
  // A build of Android 2.2 gave this one to a whole series, and emulators and libraries still do.
  '9774d56d682e549c',
  '0000000000000000',
  // IDFV while the device has not been unlocked, as some frameworks write it.
  '00000000-0000-0000-0000-000000000000',
  'unknown',
  'null',
  'undefined',
]);

/** The vendor id where it tells one device from others; null where it does not. */
export function deviceIdOf({ vendorId }: Pick<DeviceFacts, 'vendorId'>): string | null {
  return vendorId === null || SHARED_VENDOR_IDS.has(vendorId.toLowerCase()) ? null : vendorId;
}

/**
 * Whether an installation is what a reinstalled app left behind: it says that it is on the same
 * device, the same person is signed in, and nothing was heard of it since the newer one exists. A
 * vendor id is no secret and proves nothing, so that the person has to be proven on the newer one:
 * nobody can end anybody's link but their own.
 */
export function isLeftBehind(old: Installation, newer: Installation): boolean {
  const deviceId = deviceIdOf(newer.device);
  return (
    old.ref !== newer.ref &&
    old.removedAt === null &&
    deviceId !== null &&
    old.device.vendorId === deviceId &&
    newer.device.platform !== null &&
    old.device.platform === newer.device.platform &&
    old.lastSeenAt < newer.createdAt &&
    sharedLinks(old, newer).length > 0
  );
}

type Succession = Pick<ChangeSet, 'released' | 'endedLinks' | 'events'>;

/**
 * Ends the link of the person who is on the newer installation now. Once nobody else is signed in,
 * the token goes as well, so that the device is not reached twice; one whose token the newer
 * one took over is `isDisplaced`, and loses it in any case. If the old one was alive after
 * all, its next packets register it again.
 */
export function succession(
  old: Installation,
  newer: Installation,
  isDisplaced: boolean,
  at: Date,
): Succession {
  const ended = sharedLinks(old, newer);
  const remaining = withoutLinks(old, ended);
  const losesToken = isDisplaced || remaining.links.length === 0;
  // That its address moved is an event of its own.
  const lostToken = losesToken && !isDisplaced ? old.token : null;
  const installationRef = old.ref;
  return {
    released: [{ ...remaining, token: losesToken ? null : remaining.token, updatedAt: at }],
    endedLinks: toEndedLinks(old, ended, 'superseded', at),
    events: [
      ...ended.map(
        ({ userRef }) =>
          ({ installationRef, kind: 'user.detached', userRef, cause: 'superseded' }) as const,
      ),
      {
        installationRef,
        kind: 'installation.superseded',
        oldToken: lostToken === null ? null : tokenFingerprint(lostToken.address.token),
        cause: newer.id,
      },
    ],
  };
}

/** Of the old one; those who are on the newer one by a proof of their own. */
function sharedLinks(old: Installation, newer: Installation): Installation['links'] {
  return old.links.filter(({ userRef }) =>
    newer.links.some((link) => link.userRef === userRef && link.assertedAt !== null),
  );
}
