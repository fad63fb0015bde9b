import type { PushClient } from '../../src/core/push-client.ts';
import { createPush } from '../../src/react-native/create-push.ts';
import { createExpoCryptography } from '../../src/react-native/cryptography.ts';
import {
  createExpoBackgroundTask,
  handleExpoPushes,
} from '../../src/react-native/expo-handlers.ts';
import type { ExpoResponse } from '../../src/react-native/expo-notifications.ts';
import { createExpoPlatform, type ExpoAddress } from '../../src/react-native/expo-platform.ts';
import { createExpoScreen } from '../../src/react-native/expo-screen.ts';
import { createSettingsMark } from '../../src/react-native/install-mark.ts';
import { createPushReceiver } from '../../src/react-native/push-receiver.ts';
import { createSecureStoreVault } from '../../src/react-native/secure-store-vault.ts';
import { createVaultStore } from '../../src/react-native/vault-store.ts';
import { VirtualTime } from '../../../../test/client/virtual-time.ts';
import type { Network } from '../../../../test/network.ts';
import { ExpoStandIn } from './expo-stand-in.ts';
import type { Handset } from './handset.ts';
import {
  AppStateStandIn,
  createSecureStore,
  createSettings,
  createSystemPlatform,
  expoCrypto,
} from './native-modules.ts';

export const EXPO_ADDRESS: ExpoAddress = { kind: 'expo', projectId: 'acme-shop' };
export const DEVICE_ADDRESS: ExpoAddress = { kind: 'device', apns: {} };

/** One process of an app that is set up with Expo as the guide says. */
export class ExpoApp implements AsyncDisposable {
  readonly handset: Handset;
  readonly notifications: ExpoStandIn;
  readonly client: PushClient;
  /** What was opened: the URL it leads to. */
  readonly opened: (string | null)[] = [];
  readonly #network: Network;

  constructor(
    network: Network,
    handset: Handset,
    address: ExpoAddress,
    lastResponse: ExpoResponse | null = null,
  ) {
    this.#network = network;
    this.handset = handset;
    this.notifications = new ExpoStandIn(handset, lastResponse);
    const cryptography = createExpoCryptography(expoCrypto);
    const screen = createExpoScreen(this.notifications, 'default');
    this.client = createPush({
      baseUrl: network.url,
      key: network.app.publishableKey,
      fetch: (url, request) => fetch(url, request),
      appState: new AppStateStandIn(),
      cryptography,
      time: new VirtualTime(),
      store: createVaultStore({
        vault: createSecureStoreVault(createSecureStore(handset)),
        mark: handset.os === 'ios' ? createSettingsMark(createSettings(handset)) : null,
        cryptography,
      }),
      platform: createExpoPlatform({
        notifications: this.notifications,
        address,
        app: async () => {
          throw new Error('nothing is known of the app');
        },
        system: createSystemPlatform(handset),
        channel: { id: 'default', name: 'News', importance: 4 },
        screen,
      }),
    });
    const receiver = createPushReceiver({
      client: this.client,
      screen,
      open: ({ url }) => this.opened.push(url),
    });
    handleExpoPushes(this.notifications, receiver);
    this.notifications.task = createExpoBackgroundTask(receiver);
  }

  async start(): Promise<void> {
    await this.client.start();
    await this.client.settled();
  }

  async login(userId: string): Promise<void> {
    const { issuer, app } = this.#network;
    await this.client.login(userId, {
      assertion: (installationId) => issuer.sign(app.id, userId, { installationId }),
    });
    await this.client.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
