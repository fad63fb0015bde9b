import type { Vault } from './vault.ts';

/** What is used of `react-native-keychain`. */
export interface Keychain<Accessible, Storage> {
  readonly ACCESSIBLE: { readonly AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: Accessible };
  readonly STORAGE_TYPE: { readonly AES_GCM_NO_AUTH: Storage };
  getGenericPassword(options: {
    readonly service: string;
  }): Promise<false | { readonly password: string }>;
  setGenericPassword(
    username: string,
    password: string,
    options: {
      readonly service: string;
      readonly accessible: Accessible;
      readonly storage: Storage;
    },
  ): Promise<unknown>;
  resetGenericPassword(options: { readonly service: string }): Promise<boolean>;
}

const USERNAME = 'homing';

/**
 * A vault in `react-native-keychain`: entries of iOS' keychain that stay on the device and can be
 * read while it is locked, because pushes come then; on Android a file under a key of the Keystore,
 * which stays on the device. That file (`RN_KEYCHAIN`) is to be left out of backups.
 */
export function createKeychainVault<Accessible, Storage>(
  keychain: Keychain<Accessible, Storage>,
): Vault {
  const accessible = keychain.ACCESSIBLE.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY;
  const storage = keychain.STORAGE_TYPE.AES_GCM_NO_AUTH;
  return {
    async read(service) {
      const found = await keychain.getGenericPassword({ service });
      return found === false ? null : found.password;
    },
    async write(service, value) {
      const options = { service, accessible, storage };
      const written = await keychain.setGenericPassword(USERNAME, value, options);
      if (written === false) throw new Error('The keychain did not take the value.');
    },
    async remove(service) {
      await keychain.resetGenericPassword({ service });
    },
  };
}
