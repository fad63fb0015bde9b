import { createPushClient } from '../core/create-push-client.ts';
import type { PushClient, PushStatus } from '../core/push-client.ts';
import { createBrowserPlatform } from '../web/browser-platform.ts';
import { createBrowserPorts } from '../web/browser-ports.ts';
import type { ContextChannel } from '../web/context-channel.ts';
import { createFetchTransport } from '../web/fetch-transport.ts';
import { SDK_VERSION } from '../web/sdk-version.ts';
import { readSettings } from '../web/settings.ts';

/** What a worker needs of a client. */
export interface WorkerClient extends Pick<
  PushClient,
  'start' | 'received' | 'opened' | 'dismissed' | 'wake'
> {
  status(): Promise<Pick<PushStatus, 'users'>>;
}

/**
 * Stands in where nothing is remembered, as after the site's data was deleted: nobody is known to
 * be signed in, so that only what is for everybody may be seen (rule R6).
 */
export const FORGETFUL: WorkerClient = {
  received: async ({ rcpt }) => (rcpt === undefined ? 'show' : 'withhold'),
  opened: async ({ rcpt }) => rcpt === undefined,
  dismissed: async () => undefined,
  start: async () => undefined,
  status: async () => ({ users: [] }),
  wake: () => undefined,
};

/**
 * A client that is set up as the page was, over the same store. Before it is started it sends
 * logouts and receipts, and leaves the state to the pages. Null where no page has been here.
 * Rejects with `storage`.
 */
export async function openWorkerClient(
  registration: ServiceWorkerRegistration,
  channel: ContextChannel,
): Promise<PushClient | null> {
  const settings = await readSettings();
  if (settings === null) return null;
  const transport = createFetchTransport(settings.baseUrl);
  const platform = createBrowserPlatform({
    settings,
    worker: { existing: async () => registration, required: async () => registration },
    transport,
    channel,
    // A worker cannot ask anybody.
    requestPermission: async () => Notification.permission,
  });
  const ports = createBrowserPorts(platform, transport, channel);
  return createPushClient({ ...settings, sdkVersion: SDK_VERSION }, ports);
}
