/**
 * What is used of `expo-notifications`, of Expo SDK 53 and later: an app hands over the whole
 * module, `import * as Notifications from 'expo-notifications'`.
 */
export interface ExpoNotifications {
  getPermissionsAsync(): Promise<ExpoPermissions>;
  requestPermissionsAsync(wanted?: ExpoWantedPermissions): Promise<ExpoPermissions>;
  getDevicePushTokenAsync(): Promise<ExpoDeviceToken>;
  getExpoPushTokenAsync(options: {
    readonly projectId: string;
    readonly devicePushToken: ExpoDeviceToken;
  }): Promise<{ readonly data: string }>;
  addPushTokenListener(listener: (token: ExpoDeviceToken) => void): ExpoSubscription;
  unregisterForNotificationsAsync(): Promise<void>;
  setNotificationChannelAsync(id: string, channel: ExpoChannel): Promise<unknown>;
  dismissAllNotificationsAsync(): Promise<void>;
  setBadgeCountAsync(count: number): Promise<boolean>;
  scheduleNotificationAsync(request: ExpoDrawing): Promise<string>;
  setNotificationHandler(handler: {
    handleNotification(notification: ExpoNotification): Promise<ExpoBehavior>;
  }): void;
  addNotificationResponseReceivedListener(
    listener: (response: ExpoResponse) => Promise<void>,
  ): ExpoSubscription;
  getLastNotificationResponse(): ExpoResponse | null;
  clearLastNotificationResponse(): void;
}

export interface ExpoSubscription {
  remove(): void;
}

export interface ExpoPermissions {
  readonly granted: boolean;
  /** `granted`, `denied` or `undetermined`. */
  readonly status: string;
  /** One of `IosAuthorizationStatus`. */
  readonly ios?: { readonly status: number } | undefined;
}

export interface ExpoWantedPermissions {
  readonly ios?: {
    readonly allowAlert?: boolean;
    readonly allowBadge?: boolean;
    readonly allowSound?: boolean;
    readonly allowProvisional?: boolean;
  };
}

/** What APNs (`ios`) or FCM (`android`) gave: a text there. */
export interface ExpoDeviceToken {
  readonly type: string;
  readonly data: unknown;
}

/** Of Android, where every notification is of a channel. */
export interface ExpoChannel {
  readonly name: string;
  /** One of `AndroidImportance`; 3 is the default one, 4 makes a banner. */
  readonly importance: number;
}

export interface ExpoDrawing {
  readonly identifier: string;
  readonly content: {
    readonly title: string | null;
    readonly body: string | null;
    readonly data: Record<string, unknown>;
    readonly badge?: number;
    readonly sound?: string;
  };
  readonly trigger: { readonly channelId: string } | null;
}

export interface ExpoNotification {
  readonly request: {
    readonly content: {
      readonly title?: string | null;
      readonly body?: string | null;
      readonly data?: unknown;
    };
    /** Of type `push` where it came from outside; then the whole payload is here. */
    readonly trigger: unknown;
  };
}

export interface ExpoBehavior {
  readonly shouldShowBanner: boolean;
  readonly shouldShowList: boolean;
  readonly shouldPlaySound: boolean;
  readonly shouldSetBadge: boolean;
}

export interface ExpoResponse {
  readonly actionIdentifier: string;
  readonly notification: ExpoNotification;
}
