import type { Platform } from '../core/ports.ts';
import type { AppFacts, SystemPlatform } from './device-facts.ts';
import type { ExpoNotifications, ExpoWantedPermissions } from './expo-notifications.ts';
import { createExpoPermission, type NamedChannel } from './expo-permission.ts';
import {
  createExpoDeviceTokenSource,
  createExpoTokenSource,
  type ApnsPlace,
} from './expo-token.ts';
import { createPlatform } from './platform.ts';
import type { Screen } from './screen.ts';

/** What the app wants to be reached by: Expo's push service, or APNs and FCM themselves. */
export type ExpoAddress =
  | { readonly kind: 'expo'; readonly projectId: string }
  | { readonly kind: 'device'; readonly apns: ApnsPlace };

export interface ExpoPlatformOptions {
  readonly notifications: ExpoNotifications;
  readonly address: ExpoAddress;
  readonly app: () => Promise<AppFacts>;
  /** React Native's own `Platform`. */
  readonly system: SystemPlatform;
  /** Android: where notifications appear. */
  readonly channel: NamedChannel;
  readonly permissions?: ExpoWantedPermissions;
  readonly screen: Screen;
}

/** The platform of an app with `expo-notifications`. */
export function createExpoPlatform(options: ExpoPlatformOptions): Platform {
  const { notifications, address, permissions = {}, system, app, screen } = options;
  const channel = system.OS === 'android' ? options.channel : null;
  const token =
    address.kind === 'expo'
      ? createExpoTokenSource(notifications, address.projectId)
      : createExpoDeviceTokenSource(notifications, address.apns);
  const permission = createExpoPermission(notifications, channel, permissions);
  return createPlatform({ system, app, permission, token, screen });
}
