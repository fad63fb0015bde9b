import type { Vault } from './vault.ts';

interface SecureStoreOptions {
  readonly keychainAccessible?: number;
}

/** What is used of `expo-secure-store`. */
export interface SecureStore {
  readonly AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: number;
  getItemAsync(key: string, options?: SecureStoreOptions): Promise<string | null>;
  setItemAsync(key: string, value: string, options?: SecureStoreOptions): Promise<void>;
  deleteItemAsync(key: string, options?: SecureStoreOptions): Promise<void>;
}

/**
 * A vault in `expo-secure-store`: the keychain of iOS, entries that stay on the device and can be
 * read while it is locked, because pushes come then; the Android Keystore, whose key stays on the
 * device. Its config plugin keeps the file out of Android's Auto Backup.
 */
export function createSecureStoreVault(store: SecureStore): Vault {
  const options = { keychainAccessible: store.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY };
  return {
    read: (name) => store.getItemAsync(name, options),
    write: (name, value) => store.setItemAsync(name, value, options),
    remove: (name) => store.deleteItemAsync(name, options),
  };
}
