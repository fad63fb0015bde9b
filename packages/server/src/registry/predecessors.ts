import type { Installation } from '../domain/installation.ts';
import { deviceIdOf } from '../domain/reinstall.ts';
import type { DeviceClaim } from '../store/installations.ts';
import type { SyncFacts } from './sync-facts.ts';
import type { SyncRequest } from './sync-request.ts';

/**
 * What a packet says of its device and of who is there, as far as that can show that the app was
 * installed anew: only a client knows its device, and only who signs in, or is, can be left behind.
 */
export function deviceClaimOf({ context, input }: SyncRequest): DeviceClaim | null {
  const { installationId: id, user, device } = input;
  if (context.caller.kind !== 'client') return null;
  const userIds = user?.claims.map((claim) => claim.id) ?? [];
  const { vendorId = null } = device?.patch.facts ?? {};
  const deviceId = deviceIdOf({ vendorId });
  if (userIds.length === 0 && deviceId === null) return null;
  return { id, vendorId: deviceId, userIds };
}

/**
 * The installations that were read because a packet may leave them behind; whether it does is
 * `isLeftBehind`. None that can be told already to be no such one.
 */
export function predecessorsOf(
  request: SyncRequest,
  { installations, byDevice }: Pick<SyncFacts, 'installations' | 'byDevice'>,
): readonly Installation[] {
  const claim = deviceClaimOf(request);
  const own = installations.get(request.input.installationId);
  if (claim === null || own === undefined) return [];
  const deviceId = claim.vendorId ?? deviceIdOf(own.device);
  const userIds = new Set([...claim.userIds, ...own.links.map(({ userId }) => userId)]);
  const candidates = deviceId === null ? [] : (byDevice.get(deviceId) ?? []);
  return candidates.filter(
    (old) =>
      old.ref !== own.ref &&
      old.lastSeenAt < own.createdAt &&
      old.links.some(({ userId }) => userIds.has(userId)),
  );
}
