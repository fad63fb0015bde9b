import { readPush, type Drawing } from './push-data.ts';
import type { PushReceiver } from './push-receiver.ts';
import { createScreen, type Screen } from './screen.ts';

/** What is used of `react-native-notify-kit`, or of Notifee, whose functions are the same. */
export interface Notifee {
  displayNotification(notification: NotifeeNotification): Promise<string>;
  cancelAllNotifications(): Promise<void>;
  setBadgeCount(count: number): Promise<void>;
  onForegroundEvent(listener: (event: NotifeeEvent) => Promise<void>): () => void;
  onBackgroundEvent(listener: (event: NotifeeEvent) => Promise<void>): void;
  getInitialNotification(): Promise<Pick<NotifeeDetail, 'notification' | 'pressAction'> | null>;
}

export interface NotifeeNotification {
  readonly id: string;
  readonly title?: string;
  readonly body?: string;
  readonly data: Record<string, string>;
  readonly android: NotifeeAndroid;
  readonly ios: { readonly badgeCount?: number; readonly sound?: string };
}

export interface NotifeeAndroid extends NotifeeLook {
  readonly largeIcon?: string;
  readonly badgeCount?: number;
  readonly sound?: string;
  readonly pressAction: { readonly id: string };
  readonly actions: NotifeeButton[];
}

export interface NotifeeButton {
  readonly title: string;
  readonly pressAction: { readonly id: string; readonly launchActivity: string };
}

export interface NotifeeEvent {
  readonly type: number;
  readonly detail: NotifeeDetail;
}

export interface NotifeeDetail {
  readonly notification?:
    | { readonly data?: Readonly<Record<string, unknown>> | undefined }
    | undefined;
  readonly pressAction?: { readonly id: string } | undefined;
}

export interface NotifeeLook {
  /** A channel that the app has made. */
  readonly channelId: string;
  /** The name of a drawable; the app's icon where it is left out. */
  readonly smallIcon?: string;
}

/** `EventType` of Notifee. */
const DISMISSED = 0;
const PRESS = 1;
const ACTION_PRESS = 2;
/** Both mean: the notification itself, and the activity that the launcher starts. */
const DEFAULT = 'default';

/** Draws with Notifee. */
export function createNotifeeScreen(notifee: Notifee, look: NotifeeLook): Screen {
  return createScreen({
    async draw(drawing) {
      await notifee.displayNotification(notification(drawing, look));
    },
    async clear() {
      await notifee.cancelAllNotifications();
      await notifee.setBadgeCount(0);
    },
  });
}

/**
 * Takes the taps on what Notifee has drawn. To be called where the app's bundle begins. The result
 * ends what can be ended.
 */
export function handleNotifeeTaps(notifee: Notifee, receiver: PushReceiver): () => void {
  notifee.onBackgroundEvent(async (event) => {
    await takeEvent(receiver, event);
    await receiver.settled();
  });
  void takeFirst(notifee, receiver);
  return notifee.onForegroundEvent((event) => takeEvent(receiver, event));
}

/** What was tapped to start the app. */
async function takeFirst(notifee: Notifee, receiver: PushReceiver): Promise<void> {
  const detail = await notifee.getInitialNotification().catch(() => null);
  if (detail !== null) await takeEvent(receiver, { type: PRESS, detail });
}

async function takeEvent(receiver: PushReceiver, { type, detail }: NotifeeEvent): Promise<void> {
  const push = readPush(detail.notification?.data);
  if (push === null) return;
  if (type === DISMISSED) {
    await receiver.dismiss(push);
  } else if (type === PRESS || type === ACTION_PRESS) {
    const action = detail.pressAction?.id ?? DEFAULT;
    await receiver.open(push, action === DEFAULT ? null : action);
  }
}

function notification(drawing: Drawing, look: NotifeeLook): NotifeeNotification {
  const { tag, title, body, image, badge, sound, actions, data } = drawing;
  return {
    id: tag,
    ...(title !== null && { title }),
    ...(body !== null && { body }),
    data: { ...data },
    android: {
      ...look,
      ...(image !== null && { largeIcon: image }),
      ...(badge !== null && { badgeCount: badge }),
      ...(sound !== null && { sound }),
      pressAction: { id: DEFAULT },
      actions: actions.map((action) => ({
        title: action.title,
        pressAction: { id: action.id, launchActivity: DEFAULT },
      })),
    },
    ios: { ...(badge !== null && { badgeCount: badge }), ...(sound !== null && { sound }) },
  };
}
