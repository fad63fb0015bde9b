import { createPushClient } from '../core/create-push-client.ts';
import type { Cryptography, Platform, Store, Time } from '../core/ports.ts';
import type { PushClientOptions } from '../core/push-client-options.ts';
import type { PushClient } from '../core/push-client.ts';
import { createFetchTransport, type Fetch } from './fetch-transport.ts';
import { createSerial } from './serial.ts';
import { systemTime } from './system-time.ts';
import { wakeInForeground, type AppState } from './wake.ts';

export interface PushOptions extends Omit<PushClientOptions, 'sdkVersion'> {
  /** Where the server is: `https://push.example.com`. */
  readonly baseUrl: string;
  readonly platform: Platform;
  readonly store: Store;
  readonly cryptography: Cryptography;
  readonly fetch: Fetch;
  /** React Native's own. */
  readonly appState: AppState;
  readonly time?: Time;
}

/** As packets name it; a test holds it against the version of the package. */
export const SDK_VERSION = 'react-native/0.1.0';

/**
 * The one client of an app of React Native. To be made once, where the app's bundle begins: a
 * second one would not know what the first one is doing. To be started where somebody looks at the
 * app, so that a push to a closed one does not make it check in.
 */
export function createPush(options: PushOptions): PushClient {
  const { baseUrl, platform, store, cryptography, fetch, appState, time = systemTime } = options;
  const { key, accounts, development } = options;
  const client = createPushClient(
    {
      key,
      sdkVersion: SDK_VERSION,
      ...(accounts !== undefined && { accounts }),
      ...(development !== undefined && { development }),
    },
    {
      platform,
      store,
      transport: createFetchTransport(baseUrl, fetch),
      time,
      cryptography,
      exclusive: createSerial(),
    },
  );
  wakeInForeground(client, appState);
  return client;
}
