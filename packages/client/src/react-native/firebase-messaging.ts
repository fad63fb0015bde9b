/**
 * What is used of the functions of `@react-native-firebase/messaging`, version 22 and later: an app
 * hands over the whole module, `import * as firebase from '@react-native-firebase/messaging'`. `M`
 * is its `Messaging`.
 */
export interface FirebaseMessaging<M> {
  getMessaging(): M;
  getToken(messaging: M): Promise<string>;
  deleteToken(messaging: M): Promise<void>;
  onTokenRefresh(messaging: M, listener: (token: string) => void): () => void;
  isDeviceRegisteredForRemoteMessages(messaging: M): boolean;
  registerDeviceForRemoteMessages(messaging: M): Promise<void>;
  /** One of `AuthorizationStatus`. */
  hasPermission(messaging: M): Promise<number>;
  requestPermission(messaging: M, permissions?: IosPermissions): Promise<number>;
  onMessage(messaging: M, listener: FirebaseListener): () => void;
  setBackgroundMessageHandler(messaging: M, handler: FirebaseListener): void;
  onNotificationOpenedApp(messaging: M, listener: FirebaseListener): () => void;
  getInitialNotification(messaging: M): Promise<FirebaseMessage | null>;
}

/** What versions with installation ids have beside, once the app has switched them on. */
export interface FirebaseRegistration<M> {
  register(messaging: M): Promise<void>;
  unregister(messaging: M): Promise<void>;
  onRegistered(messaging: M, listener: (installationId: string) => void): () => void;
}

/** What iOS is asked for; left out is what Firebase asks for by itself. */
export interface IosPermissions {
  /** Quietly, without asking the person, into the notification centre. */
  readonly provisional?: boolean;
}

/** Resolves when it is done with the push. */
export type FirebaseListener = (message: FirebaseMessage) => Promise<void>;

/** A push as it came in. */
export interface FirebaseMessage {
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** There where the system draws, unless the app is in the foreground. */
  readonly notification?:
    | { readonly title?: string | undefined; readonly body?: string | undefined }
    | undefined;
}
