import type { Permission } from '../core/ports.ts';
import type { FirebaseMessaging, IosPermissions } from './firebase-messaging.ts';
import type { PermissionSource } from './permission-source.ts';

/** `AuthorizationStatus` of `@react-native-firebase/messaging`. */
const PERMISSIONS: Readonly<Record<number, Permission>> = {
  [-1]: 'default',
  0: 'denied',
  1: 'granted',
  2: 'provisional',
  3: 'ephemeral',
};

/**
 * The permission as Firebase tells it: for iOS, and for Android before 13, where nobody is asked
 * and the settings may say no.
 */
export function createFirebasePermission<M>(
  firebase: FirebaseMessaging<M>,
  wanted: IosPermissions,
): PermissionSource {
  return {
    read: () => told(firebase.hasPermission(firebase.getMessaging())),
    request: () => told(firebase.requestPermission(firebase.getMessaging(), wanted)),
  };
}

async function told(status: Promise<number>): Promise<Permission> {
  try {
    return PERMISSIONS[await status] ?? 'default';
  } catch {
    return 'default';
  }
}
