import type {
  ExpoBehavior,
  ExpoDeviceToken,
  ExpoNotification,
  ExpoNotifications,
  ExpoPermissions,
  ExpoResponse,
  ExpoSubscription,
  ExpoWantedPermissions,
} from '../../src/react-native/expo-notifications.ts';
import type { FcmBody } from './firebase-stand-in.ts';
import type { Handset } from './handset.ts';

/** A push as Expo gets it for sending. */
export interface ExpoBody {
  readonly title?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Handler = Parameters<ExpoNotifications['setNotificationHandler']>[0];
type Drawing = Parameters<ExpoNotifications['scheduleNotificationAsync']>[0];

const DEFAULT_ACTION = 'expo.modules.notifications.actions.DEFAULT';

/**
 * `expo-notifications` in one process of an app: which events come for what, and in which form a
 * push is handed over on each system.
 */
export class ExpoStandIn implements ExpoNotifications {
  readonly #handset: Handset;
  readonly #tokenListeners = new Set<(token: ExpoDeviceToken) => void>();
  readonly #responseListeners = new Set<(response: ExpoResponse) => Promise<void>>();
  #handler: Handler | null = null;
  #lastResponse: ExpoResponse | null;
  readonly channels: string[] = [];
  /** What `TaskManager.defineTask` was given. */
  task: ((body: { readonly data: unknown }) => Promise<void>) | null = null;
  /** Of each token that Expo was asked for: the device's token that it was given. */
  readonly exchanged: unknown[] = [];

  /** What Expo fails with. */
  failure: Error | null = null;

  constructor(handset: Handset, lastResponse: ExpoResponse | null = null) {
    this.#handset = handset;
    this.#lastResponse = lastResponse;
  }

  async getPermissionsAsync(): Promise<ExpoPermissions> {
    const { os, permission } = this.#handset;
    const statuses = { default: 0, denied: 1, granted: 2, provisional: 3 } as const;
    return {
      granted: permission === 'granted',
      status: permission === 'default' ? 'undetermined' : permission,
      ...(os === 'ios' && { ios: { status: statuses[permission] } }),
    };
  }

  async requestPermissionsAsync(wanted: ExpoWantedPermissions = {}): Promise<ExpoPermissions> {
    const { os } = this.#handset;
    if (os === 'ios' && wanted.ios?.allowProvisional === true) {
      this.#handset.permission = 'provisional';
    } else if (os === 'ios' || this.channels.length > 0) {
      // Android 13 asks nobody for an app that has no channel yet.
      this.#handset.ask();
    }
    return this.getPermissionsAsync();
  }

  /** Raises the event of a token, as the module does for each request. */
  async getDevicePushTokenAsync(): Promise<ExpoDeviceToken> {
    const token = this.#token();
    for (const listener of this.#tokenListeners) listener(token);
    return token;
  }

  async getExpoPushTokenAsync({
    devicePushToken,
  }: Parameters<ExpoNotifications['getExpoPushTokenAsync']>[0]): Promise<{ data: string }> {
    if (this.failure !== null) throw this.failure;
    this.exchanged.push(devicePushToken.data);
    return { data: `ExponentPushToken[${String(devicePushToken.data).slice(0, 22)}]` };
  }

  addPushTokenListener(listener: (token: ExpoDeviceToken) => void): ExpoSubscription {
    this.#tokenListeners.add(listener);
    return { remove: () => this.#tokenListeners.delete(listener) };
  }

  async unregisterForNotificationsAsync(): Promise<void> {}

  async setNotificationChannelAsync(id: string): Promise<null> {
    this.channels.push(id);
    return null;
  }

  async dismissAllNotificationsAsync(): Promise<void> {
    this.#handset.screen = [];
  }

  async setBadgeCountAsync(count: number): Promise<boolean> {
    this.#handset.badge = count;
    return true;
  }

  /** A local notification goes past the app's handler as well, while somebody looks at the app. */
  async scheduleNotificationAsync({ identifier, content, trigger }: Drawing): Promise<string> {
    const { title, data } = content;
    const behavior = await this.#handler?.handleNotification({ request: { content, trigger } });
    if (behavior?.shouldShowBanner !== false) this.#handset.show({ tag: identifier, title, data });
    return identifier;
  }

  setNotificationHandler(handler: Handler): void {
    this.#handler = handler;
  }

  addNotificationResponseReceivedListener(
    listener: (response: ExpoResponse) => Promise<void>,
  ): ExpoSubscription {
    this.#responseListeners.add(listener);
    return { remove: () => this.#responseListeners.delete(listener) };
  }

  getLastNotificationResponse(): ExpoResponse | null {
    return this.#lastResponse;
  }

  clearLastNotificationResponse(): void {
    this.#lastResponse = null;
  }

  /** The system gives this phone another token. */
  refresh(value: string): void {
    if (this.#handset.os === 'ios') this.#handset.apnsToken = value;
    else this.#handset.fcmToken = value;
    for (const listener of this.#tokenListeners) listener(this.#token());
  }

  /** A push of FCM's own arrives, for which Expo shows nothing by itself. */
  async arriveFromFcm({ message }: FcmBody, state: 'foreground' | 'background'): Promise<void> {
    if (state === 'foreground') await this.#ask(notificationOf(message.data, message.data));
    const { body: dataString = null } = message.data;
    await this.task?.({ data: { notification: null, data: { ...message.data, dataString } } });
  }

  /** A push straight from APNs arrives while the app is looked at. */
  async arriveFromApns(payload: Readonly<Record<string, unknown>>): Promise<ExpoBehavior> {
    const trigger = { type: 'push', payload };
    return this.#ask({ request: { content: { data: null }, trigger } });
  }

  /** Android: a button was pressed while the app was closed, and the task hears of it. */
  async pressButton(action: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    const content = { dataString: JSON.stringify(data) };
    const notification = { request: { content, trigger: null } };
    await this.task?.({ data: { actionIdentifier: action, notification } });
  }

  /** A push of Expo's arrives while the app is looked at; the system shows what the app lets it. */
  async arriveFromExpo({ title, data }: ExpoBody): Promise<ExpoBehavior> {
    const behavior = await this.#ask(notificationOf(data, {}, title));
    if (behavior.shouldShowBanner && title !== undefined) {
      this.#handset.show({ tag: title, title, data });
    }
    await this.task?.({ data: { data: { title, dataString: JSON.stringify(data) } } });
    return behavior;
  }

  async tap(data: Readonly<Record<string, unknown>>): Promise<void> {
    this.#lastResponse = responseOf(data);
    for (const listener of this.#responseListeners) await listener(responseOf(data));
  }

  /** Within three seconds, or nothing is shown; here the answer is waited for. */
  async #ask(notification: ExpoNotification): Promise<ExpoBehavior> {
    if (this.#handler === null) throw new Error('no handler: Expo shows nothing');
    return this.#handler.handleNotification(notification);
  }

  #token(): ExpoDeviceToken {
    const { os, apnsToken, fcmToken } = this.#handset;
    return os === 'ios' ? { type: 'ios', data: apnsToken } : { type: 'android', data: fcmToken };
  }
}

/** What a person taps, as the module hands it over. */
export function responseOf(data: Readonly<Record<string, unknown>>): ExpoResponse {
  return { actionIdentifier: DEFAULT_ACTION, notification: notificationOf(data, {}) };
}

function notificationOf(data: unknown, remote: unknown, title?: string): ExpoNotification {
  const trigger = { type: 'push', remoteMessage: { data: remote } };
  return { request: { content: { title: title ?? null, body: null, data }, trigger } };
}
