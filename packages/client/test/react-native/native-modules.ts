import { hash, randomBytes } from 'node:crypto';
import type { PermissionsAndroid } from '../../src/react-native/android-permission.ts';
import type { ExpoCrypto } from '../../src/react-native/cryptography.ts';
import type { SystemPlatform } from '../../src/react-native/device-facts.ts';
import type { Settings } from '../../src/react-native/install-mark.ts';
import type { Keychain } from '../../src/react-native/keychain-vault.ts';
import type { Notifee, NotifeeEvent } from '../../src/react-native/notifee-screen.ts';
import type { SecureStore } from '../../src/react-native/secure-store-vault.ts';
import type { AppState } from '../../src/react-native/wake.ts';
import type { Handset, Shown } from './handset.ts';

/** React Native's `Platform`. */
export function createSystemPlatform({ os }: Handset): SystemPlatform {
  return os === 'ios'
    ? { OS: 'ios', Version: '18.1', constants: { osVersion: '18.1', systemName: 'iOS' } }
    : { OS: 'android', Version: 35, constants: { Release: '15', Model: 'Pixel 9' } };
}

/** React Native's `PermissionsAndroid`: it does not tell "never asked" from "denied". */
export function createPermissionsAndroid(handset: Handset): PermissionsAndroid {
  return {
    check: async () => handset.permission === 'granted',
    request: async () => {
      const wasAnswered = handset.permission !== 'default';
      if (handset.ask() === 'granted') return 'granted';
      return wasAnswered ? 'never_ask_again' : 'denied';
    },
  };
}

/** React Native's `Settings`: the user defaults of iOS. */
export function createSettings({ files }: Handset): Settings {
  return {
    get: (key) => files.get(key),
    set: (settings) => {
      for (const [key, value] of Object.entries(settings)) files.set(key, value);
    },
  };
}

/** React Native's `AppState`. */
export class AppStateStandIn implements AppState {
  readonly #listeners = new Set<(state: string) => void>();

  addEventListener(_type: 'change', listener: (state: string) => void): { remove(): void } {
    this.#listeners.add(listener);
    return { remove: () => this.#listeners.delete(listener) };
  }

  change(state: 'active' | 'background'): void {
    for (const listener of this.#listeners) listener(state);
  }
}

const MAX_SECURE_STORE_BYTES = 2048;

/** `expo-secure-store`: small values, out of reach while the phone is locked for the first time. */
export function createSecureStore(handset: Handset): SecureStore {
  const unlocked = (): Map<string, string> => {
    if (handset.isLocked) throw new Error('User interaction is not allowed.');
    return handset.vault;
  };
  return {
    AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 1,
    getItemAsync: async (key) => unlocked().get(key) ?? null,
    setItemAsync: async (key, value, options) => {
      if (options?.keychainAccessible !== 1) throw new Error('a backup would take it along');
      if (!/^[\w.-]+$/.test(key)) throw new Error('Invalid key provided to SecureStore.');
      if (Buffer.byteLength(value) > MAX_SECURE_STORE_BYTES) throw new Error('too large');
      unlocked().set(key, value);
    },
    deleteItemAsync: async (key) => {
      unlocked().delete(key);
    },
  };
}

/** `react-native-keychain`. */
export function createKeychain(handset: Handset): Keychain<string, string> {
  return {
    ACCESSIBLE: { AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 'AccessibleAfterFirstUnlockThisDeviceOnly' },
    STORAGE_TYPE: { AES_GCM_NO_AUTH: 'KeystoreAESGCM_NoAuth' },
    getGenericPassword: async ({ service }) => {
      if (handset.isLocked) throw new Error('User interaction is not allowed.');
      const password = handset.vault.get(service);
      return password === undefined ? false : { password };
    },
    setGenericPassword: async (_username, password, { service, accessible }) => {
      if (handset.isLocked) return false;
      if (!accessible.endsWith('ThisDeviceOnly')) throw new Error('a backup would take it along');
      handset.vault.set(service, password);
      return { service };
    },
    resetGenericPassword: async ({ service }) => handset.vault.delete(service),
  };
}

/** `expo-crypto`. */
export const expoCrypto: ExpoCrypto = {
  CryptoDigestAlgorithm: { SHA256: 'SHA-256' },
  getRandomBytes: (count) => new Uint8Array(randomBytes(count)),
  digest: async (_algorithm, bytes) => new Uint8Array(hash('sha256', bytes, 'buffer')).buffer,
};

/** `react-native-notify-kit`, or Notifee. */
export class NotifeeStandIn implements Notifee {
  readonly #handset: Handset;
  /** What a drawing waits for before it appears. */
  delay: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<(event: NotifeeEvent) => Promise<void>>();
  /** What was tapped to start this process. */
  readonly #tapped: Shown | null;

  constructor(handset: Handset, tapped: Shown | null = null) {
    this.#handset = handset;
    this.#tapped = tapped;
  }

  async displayNotification({ id, title, data }: Parameters<Notifee['displayNotification']>[0]) {
    if (this.#handset.permission !== 'granted') throw new Error('not allowed to notify');
    await this.delay;
    this.#handset.show({ tag: id, title: title ?? null, data });
    return id;
  }

  async cancelAllNotifications(): Promise<void> {
    this.#handset.clear();
  }

  async setBadgeCount(count: number): Promise<void> {
    this.#handset.badge = count;
  }

  onForegroundEvent(listener: (event: NotifeeEvent) => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Android runs it for the tap that starts the app, which the app can ask about as well. */
  onBackgroundEvent(listener: (event: NotifeeEvent) => Promise<void>): void {
    if (this.#tapped === null) return;
    void listener({ type: 1, detail: { notification: this.#tapped } });
  }

  async getInitialNotification() {
    return this.#tapped && { notification: this.#tapped };
  }

  /** A person taps what has this title, or wipes it away. */
  async emit(type: 'press' | 'dismiss', title: string): Promise<void> {
    const notification = this.#handset.screen.find((shown) => shown.title === title);
    if (notification === undefined) throw new Error(`"${title}" is not on the screen`);
    const event = { type: type === 'press' ? 1 : 0, detail: { notification } };
    for (const listener of this.#listeners) await listener(event);
  }
}
