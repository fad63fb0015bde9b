import type { Platform } from '../core/ports.ts';
import { createAndroidPermission, type PermissionsAndroid } from './android-permission.ts';
import type { AppFacts, SystemPlatform } from './device-facts.ts';
import type {
  FirebaseMessaging,
  FirebaseRegistration,
  IosPermissions,
} from './firebase-messaging.ts';
import { createFirebasePermission } from './firebase-permission.ts';
import { createFirebaseTokenSource, createInstallationIdSource } from './firebase-token.ts';
import type { PermissionSource } from './permission-source.ts';
import { createPlatform } from './platform.ts';
import type { Screen } from './screen.ts';
import type { TokenSource } from './token-source.ts';
import type { Vault } from './vault.ts';

/**
 * What the app wants to be reached by; of an iPhone, too, because Firebase's module hands nothing
 * over that came from APNs without Firebase.
 */
export type FirebaseAddress<M> =
  | { readonly kind: 'token'; readonly firebase: FirebaseMessaging<M> }
  | {
      readonly kind: 'installation_id';
      readonly firebase: FirebaseMessaging<M> & FirebaseRegistration<M>;
    };

export interface FirebasePlatformOptions<M> {
  readonly address: FirebaseAddress<M>;
  readonly app: () => Promise<AppFacts>;
  /** React Native's own `Platform` and `PermissionsAndroid`. */
  readonly system: SystemPlatform;
  readonly permissionsAndroid: PermissionsAndroid;
  readonly iosPermissions?: IosPermissions;
  readonly screen: Screen;
  readonly vault: Vault;
}

/** The first Android that asks the person (13). */
const ASKING_API_LEVEL = 33;

/** The platform of an app with `@react-native-firebase/messaging`. */
export function createFirebasePlatform<M>(options: FirebasePlatformOptions<M>): Platform {
  const { address, app, system, screen } = options;
  const token = tokenSource(address);
  return createPlatform({ system, app, permission: permissionSource(options), token, screen });
}

function tokenSource<M>(address: FirebaseAddress<M>): TokenSource {
  switch (address.kind) {
    case 'token':
      return createFirebaseTokenSource(address.firebase);
    case 'installation_id':
      return createInstallationIdSource(address.firebase);
  }
}

function permissionSource<M>(options: FirebasePlatformOptions<M>): PermissionSource {
  const { address, system, permissionsAndroid, vault, iosPermissions = {} } = options;
  const asks = system.OS === 'android' && Number(system.Version) >= ASKING_API_LEVEL;
  return asks
    ? createAndroidPermission(permissionsAndroid, vault)
    : createFirebasePermission(address.firebase, iosPermissions);
}
