import type {
  FirebaseListener,
  FirebaseMessage,
  FirebaseMessaging,
  FirebaseRegistration,
  IosPermissions,
} from '../../src/react-native/firebase-messaging.ts';
import type { Handset } from './handset.ts';

/** A push as FCM gets it for sending. */
export interface FcmBody {
  readonly message: {
    readonly data: Readonly<Record<string, string>>;
    readonly notification?: { readonly title?: string; readonly body?: string };
    readonly apns: { readonly payload: { readonly aps: { readonly alert?: { title?: string } } } };
  };
}

type Messaging = { readonly name: 'the default app' };

/**
 * The functions of `@react-native-firebase/messaging` in one process of an app: which of them is
 * called for a push, in which state of the app, and what the system draws by itself.
 */
export class FirebaseStandIn
  implements FirebaseMessaging<Messaging>, FirebaseRegistration<Messaging>
{
  readonly #handset: Handset;
  readonly #refreshed = new Set<(token: string) => void>();
  readonly #registered = new Set<(installationId: string) => void>();
  readonly #messages = new Set<FirebaseListener>();
  readonly #opened = new Set<FirebaseListener>();
  #background: FirebaseListener | null = null;
  #isRegisteredWithApns = false;
  /** The installation id of this process, which new listeners are told at once. */
  #known: string | null = null;
  /** What listening for tokens or ids throws, as where the app has not switched them on. */
  refusal: Error | null = null;
  /** What `getToken` and `register` fail with. */
  failure: Error | null = null;
  /** What was tapped to start this process. */
  readonly #tapped: FcmBody | null;
  tokensGiven = 0;

  constructor(handset: Handset, tapped: FcmBody | null = null) {
    this.#handset = handset;
    this.#tapped = tapped;
  }

  readonly getMessaging = (): Messaging => ({ name: 'the default app' });

  readonly getToken = async (): Promise<string> => {
    this.#requireApns();
    this.tokensGiven += 1;
    return this.#handset.fcmToken;
  };

  readonly deleteToken = async (): Promise<void> => {
    this.#handset.fcmToken = '';
  };

  readonly onTokenRefresh = (_messaging: Messaging, listener: (token: string) => void) => {
    if (this.refusal !== null) throw this.refusal;
    return subscribe(this.#refreshed, listener);
  };

  /** Raises the event where Firebase did not know of this phone. */
  readonly register = async (): Promise<void> => {
    this.#requireApns();
    if (this.#known === null) this.registered(this.#handset.installationId);
  };

  readonly unregister = async (): Promise<void> => {
    this.#known = null;
  };

  readonly onRegistered = (_messaging: Messaging, listener: (id: string) => void) => {
    if (this.refusal !== null) throw this.refusal;
    const stop = subscribe(this.#registered, listener);
    if (this.#known !== null) listener(this.#known);
    return stop;
  };

  readonly isDeviceRegisteredForRemoteMessages = (): boolean =>
    this.#handset.os === 'android' || this.#isRegisteredWithApns;

  readonly registerDeviceForRemoteMessages = async (): Promise<void> => {
    this.#isRegisteredWithApns = true;
  };

  readonly hasPermission = async (): Promise<number> => statusOf(this.#handset);

  readonly requestPermission = async (
    _messaging: Messaging,
    { provisional = false }: IosPermissions = {},
  ): Promise<number> => {
    if (!provisional) this.#handset.ask();
    else if (this.#handset.permission === 'default') this.#handset.permission = 'provisional';
    return statusOf(this.#handset);
  };

  readonly onMessage = (_messaging: Messaging, listener: FirebaseListener) =>
    subscribe(this.#messages, listener);

  readonly setBackgroundMessageHandler = (
    _messaging: Messaging,
    handler: FirebaseListener,
  ): void => {
    this.#background = handler;
  };

  /** iOS keeps the event of a tap for the first listener, and tells of the tap when asked, too. */
  readonly onNotificationOpenedApp = (_messaging: Messaging, listener: FirebaseListener) => {
    if (this.#tapped !== null && this.#handset.os === 'ios') {
      void listener(this.#messageOf(this.#tapped));
    }
    return subscribe(this.#opened, listener);
  };

  readonly getInitialNotification = async (): Promise<FirebaseMessage | null> =>
    this.#tapped && this.#messageOf(this.#tapped);

  /** Firebase gives this phone another token. */
  refresh(token: string): void {
    this.#handset.fcmToken = token;
    for (const listener of this.#refreshed) listener(token);
  }

  registered(installationId: string): void {
    this.#handset.installationId = installationId;
    this.#known = installationId;
    for (const listener of this.#registered) listener(installationId);
  }

  /** A push arrives while nobody looks; resolves when the app has done what it does. */
  async arriveInBackground(body: FcmBody): Promise<void> {
    const message = this.#messageOf(body);
    const { notification } = message;
    // iOS wakes no app for what it draws itself.
    if (notification === undefined || this.#handset.os !== 'ios') await this.#background?.(message);
    if (notification !== undefined) this.#draw(notification.title ?? null, body);
  }

  /** The system draws; on an iPhone its extension compares tags before. */
  #draw(title: string | null, { message: { data } }: FcmBody): void {
    const { homing_rcpt: rcpt } = data;
    const { os, sharedTags } = this.#handset;
    if (os === 'ios' && rcpt !== undefined && !sharedTags.includes(rcpt)) return;
    this.#handset.show({ tag: String(title), title, data });
  }

  /** A push arrives while the app is looked at: the system draws nothing. */
  async arriveInForeground(body: FcmBody): Promise<void> {
    for (const listener of this.#messages) await listener(this.#messageOf(body));
  }

  /** A person taps what the system has drawn. */
  async tap(body: FcmBody): Promise<void> {
    for (const listener of this.#opened) await listener(this.#messageOf(body));
  }

  #requireApns(): void {
    if (this.failure !== null) throw this.failure;
    if (this.isDeviceRegisteredForRemoteMessages()) return;
    throw nativeError('messaging/unregistered', 'You must be registered for remote messages.');
  }

  #messageOf({ message: { data, notification, apns } }: FcmBody): FirebaseMessage {
    if (this.#handset.os === 'android') return { data, notification };
    return { data, notification: notification ?? apns.payload.aps.alert };
  }
}

/** An error as native modules throw it. */
export function nativeError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `AuthorizationStatus`. */
function statusOf({ os, permission }: Handset): number {
  const statuses = { default: -1, denied: 0, granted: 1, provisional: 2 } as const;
  // Android says whether notifications are shown, and no more.
  return os === 'android' && permission === 'default' ? 0 : statuses[permission];
}
