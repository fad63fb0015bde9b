import type { PermissionSource } from './permission-source.ts';
import type { Vault } from './vault.ts';

type Name = 'android.permission.POST_NOTIFICATIONS';

/** What is used of React Native's `PermissionsAndroid`. */
export interface PermissionsAndroid {
  check(permission: Name): Promise<boolean>;
  request(permission: Name): Promise<'granted' | 'denied' | 'never_ask_again'>;
}

const POST_NOTIFICATIONS: Name = 'android.permission.POST_NOTIFICATIONS';
const ASKED = 'homing.asked';

/**
 * The permission of Android 13 and later. Android tells whether it was granted, and not whether
 * somebody was asked; so that is remembered here, and a refusal is one at the next start, too. What
 * was granted and taken back in the settings counts as refused.
 */
export function createAndroidPermission(
  permissions: PermissionsAndroid,
  vault: Vault,
): PermissionSource {
  return {
    async read() {
      try {
        if (await permissions.check(POST_NOTIFICATIONS)) return 'granted';
        return (await vault.read(ASKED)) === null ? 'default' : 'denied';
      } catch {
        return 'default';
      }
    },
    async request() {
      try {
        const answer = await permissions.request(POST_NOTIFICATIONS);
        await vault.write(ASKED, 'yes').catch(() => undefined);
        return answer === 'granted' ? 'granted' : 'denied';
      } catch {
        // No screen to ask on, as in a background handler: nobody has refused anything.
        return 'default';
      }
    },
  };
}
