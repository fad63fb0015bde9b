import { login, logout, setDeviceTags, setTags } from '../core/account.ts';
import { dispose, register, start, unsubscribe, wake } from '../core/device.ts';
import { listen, type Engine } from '../core/engine.ts';
import { logoutLane } from '../core/logout-lane.ts';
import type { Permission } from '../core/ports.ts';
import { stateLane } from '../core/state-lane.ts';
import { status } from '../core/status.ts';
import { topicLane } from '../core/topic-lane.ts';
import { subscribeTopic, unsubscribeTopic } from '../core/topic.ts';
import { createBrowserEngine } from './browser-engine.ts';
import { openContextChannel } from './context-channel.ts';
import { createPageWorker, type PageWorkerOptions } from './page-worker.ts';
import type { Push } from './push.ts';
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
  const engine = createBrowserEngine({
    settings,
    worker: createPageWorker(worker),
    channel,
    lanes: [logoutLane, stateLane, topicLane],
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
    subscribeTopic: (topic, scope) => subscribeTopic(engine, topic, scope),
    unsubscribeTopic: (topic) => unsubscribeTopic(engine, topic),
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
  const permission = await navigator.permissions.query({ name: 'notifications' });
  permission.addEventListener('change', awake, options);
}
