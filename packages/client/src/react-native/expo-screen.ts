import type { ExpoNotifications } from './expo-notifications.ts';
import { createScreen, type Screen } from './screen.ts';

/**
 * Draws with `expo-notifications`, on Android in a channel that the app has made. Its local
 * notifications have neither images nor buttons that came with a push.
 */
export function createExpoScreen(notifications: ExpoNotifications, channelId: string): Screen {
  return createScreen({
    async draw({ tag, title, body, badge, sound, data }) {
      await notifications.scheduleNotificationAsync({
        identifier: tag,
        content: {
          title,
          body,
          data: { ...data },
          ...(badge !== null && { badge }),
          ...(sound !== null && { sound }),
        },
        trigger: { channelId },
      });
    },
    async clear() {
      await notifications.dismissAllNotificationsAsync();
      await notifications.setBadgeCountAsync(0);
    },
  });
}
