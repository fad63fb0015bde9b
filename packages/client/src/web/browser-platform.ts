import type { Permission, Platform, Transport } from '../core/ports.ts';
import type { ContextChannel } from './context-channel.ts';
import { browserFacts } from './device-facts.ts';
import type { Settings } from './settings.ts';
import { asToken, subscriptionToken } from './subscription.ts';
import { createVapidKeyReader } from './vapid-key.ts';

/** Where the service worker is that pushes come to. */
export interface WorkerSource {
  /** Null where there is none yet. */
  existing(): Promise<ServiceWorkerRegistration | null>;
  /** Registers it where there is none, and waits until it can take pushes. */
  required(): Promise<ServiceWorkerRegistration>;
}

export interface BrowserPlatformParts {
  readonly settings: Settings;
  readonly worker: WorkerSource;
  readonly channel: ContextChannel;
}

/** What a page and a worker have in common: nearly everything. */
export function createBrowserPlatform(
  { settings, worker, channel }: BrowserPlatformParts,
  transport: Transport,
): Platform {
  const readVapidKey = createVapidKeyReader(transport, settings.key);
  /** Whatever its key. */
  const existing = async (): Promise<PushSubscription | null | undefined> =>
    (await worker.existing())?.pushManager.getSubscription();
  return {
    device: async () => browserFacts(settings.appVersion),
    permission,
    // A page asks by itself, within a click; a worker cannot.
    requestPermission: permission,
    async token() {
      try {
        const registration = await worker.required();
        return await subscriptionToken(registration, await readVapidKey(), channel);
      } catch (error) {
        const { name, message } = error as Error;
        return { kind: 'failed', code: name, detail: message };
      }
    },
    onToken(listener) {
      const read = async (): Promise<void> => {
        const subscription = await existing();
        listener(subscription ? asToken(subscription) : null);
      };
      return channel.on('token', () => void attempt(read));
    },
    async dropToken() {
      await attempt(async () => (await existing())?.unsubscribe());
      channel.announce('token');
    },
    async clearShown() {
      await attempt(async () => {
        const registration = await worker.existing();
        for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
      });
      await attempt(async () => navigator.clearAppBadge?.());
    },
  };
}

/** What a browser refuses of this nobody can mend: there is nothing to drop, or to clear. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => null);
}

async function permission(): Promise<Permission> {
  return Notification.permission;
}
