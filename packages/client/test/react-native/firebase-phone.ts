import { getRandomValues, hash } from 'node:crypto';
import { createPush } from '../../src/react-native/create-push.ts';
import { createCryptography } from '../../src/react-native/cryptography.ts';
import type { Fetch } from '../../src/react-native/fetch-transport.ts';
import { handleFirebasePushes } from '../../src/react-native/firebase-handlers.ts';
import { createFirebasePlatform } from '../../src/react-native/firebase-platform.ts';
import type { FirebaseAddress } from '../../src/react-native/firebase-platform.ts';
import { createSettingsMark } from '../../src/react-native/install-mark.ts';
import { createKeychainVault } from '../../src/react-native/keychain-vault.ts';
import { createNotifeeScreen, handleNotifeeTaps } from '../../src/react-native/notifee-screen.ts';
import { createPushReceiver } from '../../src/react-native/push-receiver.ts';
import { createTagSharing } from '../../src/react-native/shared-tags.ts';
import { createVaultStore } from '../../src/react-native/vault-store.ts';
import type { PushClient } from '../../src/core/push-client.ts';
import type { IosPermissions } from '../../src/react-native/firebase-messaging.ts';
import { VirtualTime } from '../../../../test/client/virtual-time.ts';
import type { Network } from '../../../../test/network.ts';
import { FirebaseStandIn, type FcmBody } from './firebase-stand-in.ts';
import type { Handset, Shown } from './handset.ts';
import {
  AppStateStandIn,
  createKeychain,
  createPermissionsAndroid,
  createSettings,
  createSystemPlatform,
  NotifeeStandIn,
} from './native-modules.ts';
import { sendPush } from './sent-push.ts';

export interface FirebaseAppOptions {
  readonly address?: FirebaseAddress<unknown>['kind'];
  readonly iosPermissions?: IosPermissions;
  readonly vendorId?: string;
  /** What a person tapped to start this process: drawn by the system, or by the app. */
  readonly tappedPush?: FcmBody;
  readonly tappedDrawing?: Shown;
}

/** One process of an app that is set up as the guide says, on a phone that outlives it. */
export class FirebaseApp implements AsyncDisposable {
  readonly handset: Handset;
  readonly firebase: FirebaseStandIn;
  readonly notifee: NotifeeStandIn;
  readonly appState = new AppStateStandIn();
  readonly client: PushClient;
  /** What was opened: the URL it leads to. */
  readonly opened: (string | null)[] = [];
  /** Of each push that the app was told of: its id. */
  readonly arrived: string[] = [];
  /** Method and status of every request that left the phone. */
  readonly exchanges: string[] = [];
  readonly #network: Network;
  #isAlive = true;

  constructor(network: Network, handset: Handset, options: FirebaseAppOptions = {}) {
    this.#network = network;
    this.handset = handset;
    this.firebase = new FirebaseStandIn(handset, options.tappedPush);
    this.notifee = new NotifeeStandIn(handset, options.tappedDrawing);
    const vault = createKeychainVault(createKeychain(handset));
    const cryptography = createCryptography({
      getRandomValues,
      sha256: (bytes) => hash('sha256', bytes, 'buffer'),
    });
    const system = createSystemPlatform(handset);
    const mark = handset.os === 'ios' ? createSettingsMark(createSettings(handset)) : null;
    const shareTags = createTagSharing(cryptography, async (tags) => {
      handset.sharedTags = tags;
    });
    const screen = createNotifeeScreen(this.notifee, { channelId: 'default' });
    this.client = createPush({
      baseUrl: `${network.url}/`,
      key: network.app.publishableKey,
      fetch: this.#fetch,
      appState: this.appState,
      cryptography,
      time: new VirtualTime(),
      store: createVaultStore({ vault, mark, cryptography, shareTags }),
      platform: createFirebasePlatform({
        address: this.#address(options.address ?? 'token'),
        app: async () => ({ appVersion: '1.4.0', vendorId: options.vendorId ?? null }),
        system,
        permissionsAndroid: createPermissionsAndroid(handset),
        iosPermissions: options.iosPermissions ?? {},
        screen,
        vault,
      }),
    });
    const receiver = createPushReceiver({
      client: this.client,
      screen,
      open: ({ url }) => this.opened.push(url),
      arrived: ({ envelope }) => this.arrived.push(envelope.id),
    });
    handleFirebasePushes(this.firebase, receiver);
    handleNotifeeTaps(this.notifee, receiver);
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

  async logout(): Promise<void> {
    await this.client.logout();
    await this.client.settled();
  }

  /** The process ends at once; nothing it has begun has an effect any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isAlive = false;
    await this.client[Symbol.asyncDispose]();
  }

  readonly #fetch: Fetch = async (url, request) => {
    if (!this.#isAlive || !this.handset.isOnline) throw new TypeError('Network request failed');
    const answer = await fetch(url, request);
    this.exchanges.push(`${request.method} ${answer.status}`);
    return answer;
  };

  #address(kind: FirebaseAddress<unknown>['kind']): FirebaseAddress<{ readonly name: string }> {
    const { firebase } = this;
    return { kind, firebase };
  }
}

/** Sends to a user and returns what FCM was given for one token. */
export async function pushTo(network: Network, userId: string, token: string): Promise<FcmBody> {
  return (await sendPush(network, userId, token)) as FcmBody;
}
