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
 * The permission as Expo tells it. The channel, which Android alone has, is made before anybody is
 * asked: Android 13 asks nobody on behalf of an app without one. Where nobody has to be asked, it
 * is made as well, because what is drawn in a channel that does not exist appears elsewhere.
 */
export function createExpoPermission(
  notifications: ExpoNotifications,
  channel: NamedChannel | null,
  wanted: ExpoWantedPermissions,
): PermissionSource {
  let made: Promise<unknown> | null = null;
  const makeChannel = async (): Promise<void> => {
    if (channel === null) return;
    const { id, name, importance } = channel;
    made ??= notifications.setNotificationChannelAsync(id, { name, importance });
    await made.catch(() => {
      made = null;
    });
  };
  return {
    async read() {
      await makeChannel();
      return told(() => notifications.getPermissionsAsync());
    },
    async request() {
      await makeChannel();
      return told(() => notifications.requestPermissionsAsync(wanted));
    },
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
