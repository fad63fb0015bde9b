import type { TokenInput } from '@homing/protocol';
import type { TokenAnswer } from '../core/ports.ts';
import type { ExpoDeviceToken, ExpoNotifications } from './expo-notifications.ts';
import { tokenFailure } from './token-failure.ts';
import type { TokenSource } from './token-source.ts';

/** Where an APNs token is valid; the credential's own where it is left out. */
export interface ApnsPlace {
  readonly environment?: 'production' | 'sandbox';
  readonly topic?: string;
}

/**
 * Tokens of Expo's push service, for the project with that id. Expo is given the device's token,
 * because asking without it would raise the very event that is listened to.
 */
export function createExpoTokenSource(
  notifications: ExpoNotifications,
  projectId: string,
): TokenSource {
  return createSource(notifications, async (devicePushToken) => {
    const { data } = await notifications.getExpoPushTokenAsync({ projectId, devicePushToken });
    return { provider: 'expo', value: data };
  });
}

/** The device's own tokens: APNs' on an iPhone, FCM's on Android. */
export function createExpoDeviceTokenSource(
  notifications: ExpoNotifications,
  place: ApnsPlace,
): TokenSource {
  return createSource(notifications, async ({ type }, value) =>
    type === 'ios' ? { provider: 'apns', value, ...place } : { provider: 'fcm', value },
  );
}

function createSource(
  notifications: ExpoNotifications,
  tokenFor: (device: ExpoDeviceToken, value: string) => Promise<TokenInput>,
): TokenSource {
  // Every request for the device's token raises an event with the same one, and the client asks
  // whenever the app comes to the foreground: Expo is asked once for each.
  let last: { readonly data: string; readonly token: Promise<TokenInput> } | null = null;

  async function tokenOf(device: ExpoDeviceToken, data: string): Promise<TokenInput> {
    const exchange = last?.data === data ? last : { data, token: tokenFor(device, data) };
    last = exchange;
    try {
      return await exchange.token;
    } catch (error) {
      if (last === exchange) last = null;
      throw error;
    }
  }

  return {
    async ask(): Promise<TokenAnswer> {
      const device = await notifications.getDevicePushTokenAsync();
      const { data } = device;
      if (!isToken(data)) return tokenFailure('no_token', 'The system gave no token.');
      return { kind: 'token', token: await tokenOf(device, data) };
    },
    listen: (listener) => {
      const subscription = notifications.addPushTokenListener((device) => {
        const { data } = device;
        if (!isToken(data) || data === last?.data) return;
        // Without an answer of Expo's now, the next start asks again.
        tokenOf(device, data).then(listener, () => undefined);
      });
      return () => subscription.remove();
    },
    drop: () => {
      last = null;
      return notifications.unregisterForNotificationsAsync();
    },
  };
}

function isToken(data: unknown): data is string {
  return typeof data === 'string' && data !== '';
}
