import type { Permission } from '../core/ports.ts';
import type {
  ExpoChannel,
  ExpoNotifications,
  ExpoPermissions,
  ExpoWantedPermissions,
} from './expo-notifications.ts';
import type { PermissionSource } from './permission-source.ts';

/** A channel by its id. */
export interface NamedChannel extends ExpoChannel {
  readonly id: string;
}

/** `IosAuthorizationStatus` of `expo-notifications`. */
const IOS_PERMISSIONS: Readonly<Record<number, Permission>> = {
  0: 'default',
  1: 'denied',
  2: 'granted',
  3: 'provisional',
  4: 'ephemeral',
};

/**
 * The permission as Expo tells it. The channel is made before anybody is asked: Android 13 asks
 * nobody on behalf of an app without one. It is of no meaning on iOS.
 */
export function createExpoPermission(
  notifications: ExpoNotifications,
  channel: NamedChannel,
  wanted: ExpoWantedPermissions,
): PermissionSource {
  return {
    read: () => told(() => notifications.getPermissionsAsync()),
    request: () =>
      told(async () => {
        const { id, name, importance } = channel;
        await notifications.setNotificationChannelAsync(id, { name, importance });
        return notifications.requestPermissionsAsync(wanted);
      }),
  };
}

async function told(ask: () => Promise<ExpoPermissions>): Promise<Permission> {
  try {
    return permissionOf(await ask());
  } catch {
    return 'default';
  }
}

function permissionOf({ granted, status, ios }: ExpoPermissions): Permission {
  if (ios !== undefined) return IOS_PERMISSIONS[ios.status] ?? 'default';
  if (granted) return 'granted';
  return status === 'denied' ? 'denied' : 'default';
}
