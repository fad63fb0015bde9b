import { login, logout, setDeviceTags, setTags } from '../core/account.ts';
import { dispose, register, start, unsubscribe, wake } from '../core/device.ts';
import { listen, type Engine } from '../core/engine.ts';
import type { Lane } from '../core/lane.ts';
import type { Permission } from '../core/ports.ts';
import { status } from '../core/status.ts';
import { createBrowserEngine } from './browser-engine.ts';
import { openContextChannel } from './context-channel.ts';
import { createPageWorker, type PageWorkerOptions } from './page-worker.ts';
import { watchPermission } from './permission-watch.ts';
import type { PagePush } from './push.ts';
import { keepSettings, type Settings } from './settings.ts';
import { unsupportedHere } from './support.ts';
import { createUnsupportedPush } from './unsupported-push.ts';

export interface PushOptions extends Settings {
  /** Default: `/homing-worker.js`, in a scope of its own. */
  readonly worker?: PageWorkerOptions;
}

/**
 * Push for a page that tells the server what `lanes` have to tell; nothing is sent or shown before
 * `init`.
 */
export function openPagePush(options: PushOptions, lanes: readonly Lane[]): PagePush {
  const unsupported = unsupportedHere();
  if (unsupported !== null) return createUnsupportedPush(unsupported);
  const { worker = {}, ...given } = options;
  const settings = { ...given, baseUrl: given.baseUrl.replace(/\/$/, '') };
  const channel = openContextChannel();
  const engine = createBrowserEngine({
    settings,
    worker: createPageWorker(worker),
    channel,
    lanes,
  });
  const left = new AbortController();
  let started: Promise<void> | null = null;
  return {
    engine,
    unsupported: null,
    isSupported: () => true,
    permission: () => Notification.permission,
    requestPermission,
    init: () => (started ??= begin(settings, engine, left.signal)),
    async subscribe() {
      // The browser has to be asked within the click, before anything is looked up.
      await requestPermission();
      return register(engine);
    },
    unsubscribe: () => unsubscribe(engine),
    login: (userId, proof) => login(engine, userId, proof),
    logout: (userId) => logout(engine, userId),
    setTags: (tags) => setTags(engine, tags),
    setDeviceTags: (tags) => setDeviceTags(engine, tags),
    status: () => status(engine),
    on: listen(engine),
    async [Symbol.asyncDispose]() {
      left.abort();
      await dispose(engine);
      channel.close();
    },
  };
}

function requestPermission(): Promise<Permission> {
  return Notification.requestPermission();
}

async function begin(settings: Settings, engine: Engine, left: AbortSignal): Promise<void> {
  await keepSettings(settings);
  const options = { signal: left };
  const awake = (): void => wake(engine);
  addEventListener('online', awake, options);
  document.addEventListener('visibilitychange', () => document.hidden || awake(), options);
  await start(engine);
  await watchPermission(awake, options);
}
