import type { Permission } from '../core/ports.ts';

/** How a platform is asked whether it shows this app's notifications. Neither method rejects. */
export interface PermissionSource {
  read(): Promise<Permission>;
  /** Asks the person where the system lets it; answers at once where it does not. */
  request(): Promise<Permission>;
}
