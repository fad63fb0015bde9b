import { createPushClient } from '../core/create-push-client.ts';
import type { Permission } from '../core/ports.ts';
import type { PushClient } from '../core/push-client.ts';
import { createBrowserPlatform } from './browser-platform.ts';
import { createBrowserPorts } from './browser-ports.ts';
import { openContextChannel } from './context-channel.ts';
import { createFetchTransport } from './fetch-transport.ts';
import { createPageWorker, type PageWorkerOptions } from './page-worker.ts';
import type { Push } from './push.ts';
import { SDK_VERSION } from './sdk-version.ts';
import { keepSettings, type Settings } from './settings.ts';
import { unsupportedHere } from './support.ts';
import { createUnsupportedPush } from './unsupported-push.ts';

export interface PushOptions extends Settings {
  /** Default: `/homing-worker.js`, in a scope of its own. */
  readonly worker?: PageWorkerOptions;
}

/** Prepares push for a page; nothing is sent or shown before `init`. */
export function createPush(options: PushOptions): Push {
  const unsupported = unsupportedHere();
  return unsupported === null ? createPagePush(options) : createUnsupportedPush(unsupported);
}

function createPagePush(options: PushOptions): Push {
  const { worker = {}, ...given } = options;
  const settings = { ...given, baseUrl: given.baseUrl.replace(/\/$/, '') };
  const channel = openContextChannel();
  const transport = createFetchTransport(settings.baseUrl);
  const platform = createBrowserPlatform({
    settings,
    worker: createPageWorker(worker),
    transport,
    channel,
    requestPermission,
  });
  const ports = createBrowserPorts(platform, transport, channel);
  const client = createPushClient({ ...settings, sdkVersion: SDK_VERSION }, ports);
  const left = new AbortController();
  const subscribe = client.subscribe.bind(client);
  const dispose = client[Symbol.asyncDispose].bind(client);
  let started: Promise<void> | null = null;
  // The client itself, with what only pages have: passing each call on would take more bytes.
  return Object.assign(client, {
    unsupported: null,
    isSupported: () => true,
    permission: () => Notification.permission,
    requestPermission,
    init: () => (started ??= start(settings, client, left.signal)),
    async subscribe() {
      // The browser has to be asked within the click, before anything is looked up.
      await requestPermission();
      return subscribe();
    },
    async [Symbol.asyncDispose]() {
      left.abort();
      await dispose();
      channel.close();
    },
  });
}

function requestPermission(): Promise<Permission> {
  return Notification.requestPermission();
}

async function start(settings: Settings, client: PushClient, left: AbortSignal): Promise<void> {
  await keepSettings(settings);
  const wake = (): void => client.wake();
  const options = { signal: left };
  addEventListener('online', wake, options);
  document.addEventListener('visibilitychange', () => document.hidden || wake(), options);
  await client.start();
  const permission = await navigator.permissions.query({ name: 'notifications' });
  permission.addEventListener('change', wake, options);
}
