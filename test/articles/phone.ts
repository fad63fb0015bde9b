import { randomBytes } from 'node:crypto';
import { fcmToken } from '../device.ts';

type RefreshListener = (token: string) => Promise<void>;

/** What `requestPermission()` of React Native Firebase answers with. */
const AUTHORIZATION_STATUS = { NOT_DETERMINED: -1, DENIED: 0, AUTHORIZED: 1, PROVISIONAL: 2 };

export interface PhoneOptions {
  readonly platform?: 'ios' | 'android';
  /** The session of whoever is signed in; the app calls it once per request. */
  readonly getAuthToken?: () => Promise<string>;
}

/** A phone with the article's app on it: the state behind the libraries that its code calls. */
export class Phone {
  readonly platform: 'ios' | 'android';
  /** An ANDROID_ID: 64 bits in hex. */
  readonly deviceId = randomBytes(8).toString('hex');
  readonly storage = new Map<string, string>();
  getAuthToken: () => Promise<string>;
  token: string = fcmToken().value;
  permission: number = AUTHORIZATION_STATUS.AUTHORIZED;
  currentUser: { readonly id: string | number } | null = null;
  /** What `DeviceInfo.getUniqueId()` returns; a promise since version 10 of that library. */
  uniqueId: string | Promise<string> = this.deviceId;
  /** Happens while the token is being deleted, before the app clears its session. */
  onDeleteToken: () => Promise<void> = () => Promise.resolve();
  readonly #refreshListeners: RefreshListener[] = [];

  constructor(options: PhoneOptions = {}) {
    this.platform = options.platform ?? 'android';
    this.getAuthToken = options.getAuthToken ?? (() => Promise.resolve(''));
  }

  /** The provider gives the app another token and tells whoever listens. */
  async refreshToken(token: string): Promise<void> {
    this.token = token;
    for (const listener of this.#refreshListeners) await listener(token);
  }

  /** From now on the libraries that the article's code calls are those of this phone. */
  hold(): void {
    const messaging = () => ({
      requestPermission: () => Promise.resolve(this.permission),
      getToken: () => Promise.resolve(this.token),
      deleteToken: () => this.onDeleteToken(),
      onTokenRefresh: (listener: RefreshListener) => this.#refreshListeners.push(listener),
    });
    Object.assign(globalThis, {
      messaging: Object.assign(messaging, { AuthorizationStatus: AUTHORIZATION_STATUS }),
      AsyncStorage: {
        getItem: (key: string) => Promise.resolve(this.storage.get(key) ?? null),
        removeItem: (key: string) => Promise.resolve(void this.storage.delete(key)),
      },
      Platform: { OS: this.platform },
      DeviceInfo: { getUniqueId: () => this.uniqueId, getVersion: () => '2.4.1' },
      getAuthToken: () => this.getAuthToken(),
      currentUser: this.currentUser,
    });
  }
}
