import type { PagePush } from './push.ts';
import type { Unsupported } from './support.ts';

/** Push where there is none: everything can be called, and nothing comes of it. */
export function createUnsupportedPush(unsupported: Unsupported): PagePush {
  return {
    isSupported: () => false,
    engine: null,
    unsupported,
    permission: () => 'denied',
    requestPermission: async () => 'denied',
    subscribe: async () => 'denied',
    status: async () => ({
      installationId: '',
      permission: 'denied',
      token: 'none',
      registered: false,
      users: [],
      logoutPending: false,
      lastError: { code: 'unsupported', detail: unsupported, at: new Date() },
    }),
    on: () => () => undefined,
    init: nothing,
    unsubscribe: nothing,
    login: nothing,
    logout: nothing,
    setTags: nothing,
    setDeviceTags: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}

async function nothing(): Promise<void> {
  // There is nothing to do.
}
