import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ExpoAddress } from '../../src/react-native/expo-platform.ts';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { DEVICE_ADDRESS, EXPO_ADDRESS, ExpoApp } from './expo-phone.ts';
import { responseOf, type ExpoBody } from './expo-stand-in.ts';
import { nativeError, type FcmBody } from './firebase-stand-in.ts';
import { allowed, Handset, fcmTokenValue } from './handset.ts';
import { sendPush } from './sent-push.ts';

let network: Network;

before(async () => {
  network = await startNetwork();
});

after(() => network[Symbol.asyncDispose]());

async function signedIn(handset: Handset, address: ExpoAddress, userId: string): Promise<ExpoApp> {
  const app = new ExpoApp(network, handset, address);
  await app.start();
  await app.login(userId);
  return app;
}

async function registered(app: ExpoApp) {
  const { installationId } = await app.client.status();
  return network.backEnd.installation(installationId);
}

/** The Expo token that the stand-in makes of the device's. */
function expoTokenOf({ os, apnsToken, fcmToken }: Handset): string {
  return `ExponentPushToken[${(os === 'ios' ? apnsToken : fcmToken).slice(0, 22)}]`;
}

async function fcmPush(app: ExpoApp, userId: string): Promise<FcmBody> {
  return (await sendPush(network, userId, app.handset.fcmToken)) as FcmBody;
}

describe('an app with expo-notifications', () => {
  test('makes its channel before Android asks, and registers when it may', async () => {
    const handset = new Handset('android');
    await using app = new ExpoApp(network, handset, DEVICE_ADDRESS);
    await app.start();
    assert.equal((await registered(app))['permission'], 'default');
    assert.equal(await app.client.subscribe(), 'granted');
    await app.client.settled();
    assert.deepEqual(app.notifications.channels, ['default']);
    assert.equal((await registered(app))['token']?.['provider'], 'fcm');
  });

  test('makes its channel also where Android asks nobody', async () => {
    await using app = new ExpoApp(network, allowed('android'), DEVICE_ADDRESS);
    await app.start();
    assert.deepEqual(app.notifications.channels, ['default']);
  });

  test('is reached by the push service of Expo, whose token is asked for once', async () => {
    const handset = allowed('ios');
    await using app = await signedIn(handset, EXPO_ADDRESS, 'anna-1');
    app.client.wake();
    await app.client.settled();
    assert.deepEqual(app.notifications.exchanged, [handset.apnsToken]);
    assert.equal((await registered(app))['token']?.['provider'], 'expo');
    const push = (await sendPush(network, 'anna-1', expoTokenOf(handset))) as ExpoBody;
    const behavior = await app.notifications.arriveFromExpo(push);
    assert.equal(behavior.shouldShowBanner, true);
    assert.deepEqual(handset.titles, ['For anna-1']);
  });

  test('asks Expo again where it did not answer', async () => {
    await using app = new ExpoApp(network, allowed('ios'), EXPO_ADDRESS);
    const codes: string[] = [];
    app.client.on('token_error', ({ code }) => codes.push(code));
    app.notifications.failure = nativeError('ERR_NOTIFICATIONS_NETWORK_ERROR', 'no answer');
    await app.start();
    assert.deepEqual(codes, ['ERR_NOTIFICATIONS_NETWORK_ERROR']);
    app.notifications.failure = null;
    app.client.wake();
    await app.client.settled();
    assert.equal((await registered(app))['token']?.['status'], 'live');
  });

  test('tells of another device token', async () => {
    await using app = await signedIn(allowed('android'), DEVICE_ADDRESS, 'anna-2');
    const again = new Promise((resolve) => app.client.on('registered', resolve));
    app.notifications.refresh(fcmTokenValue());
    await again;
    await fcmPush(app, 'anna-2');
  });

  test('draws a push of FCM once, in the background as in the foreground', async () => {
    for (const state of ['background', 'foreground'] as const) {
      await using app = await signedIn(allowed('android'), DEVICE_ADDRESS, `anna-3-${state}`);
      const push = await fcmPush(app, `anna-3-${state}`);
      await app.notifications.arriveFromFcm(push, state);
      assert.deepEqual(app.handset.titles, [`For anna-3-${state}`]);
      const [shown] = app.handset.screen;
      app.handset.clear();
      await app.notifications.tap(shown?.data ?? {});
      assert.deepEqual(app.opened, ['https://shop.example/42']);
    }
  });

  test('shows nobody what is meant for whoever was signed in before', async () => {
    const handset = allowed('android');
    await using app = await signedIn(handset, DEVICE_ADDRESS, 'anna-4');
    const push = await fcmPush(app, 'anna-4');
    handset.show({ tag: 'left', title: 'left on the screen', data: {} });
    handset.badge = 2;
    await app.login('ben-4');
    assert.deepEqual([handset.titles, handset.badge], [[], 0]);
    await app.notifications.arriveFromFcm(push, 'background');
    await app.notifications.arriveFromFcm(push, 'foreground');
    await app.notifications.tap(push.message.data);
    assert.deepEqual([handset.titles, app.opened], [[], []]);
  });

  test('hides a push of Expo from the next user, though its own was shown before', async () => {
    const handset = allowed('ios');
    await using app = await signedIn(handset, EXPO_ADDRESS, 'anna-5');
    const push = (await sendPush(network, 'anna-5', expoTokenOf(handset))) as ExpoBody;
    assert.equal((await app.notifications.arriveFromExpo(push)).shouldShowBanner, true);
    await app.client.logout();
    assert.equal((await app.notifications.arriveFromExpo(push)).shouldShowBanner, false);
    assert.deepEqual(handset.titles, []);
  });

  test('asks about what comes straight from APNs', async () => {
    await using app = await signedIn(allowed('ios'), DEVICE_ADDRESS, 'anna-8');
    const payload = await sendPush(network, 'anna-8', app.handset.apnsToken);
    const shown = async (): Promise<boolean> => {
      const sent = payload as Readonly<Record<string, unknown>>;
      return (await app.notifications.arriveFromApns(sent)).shouldShowBanner;
    };
    assert.equal(await shown(), true);
    await app.login('ben-8');
    assert.equal(await shown(), false);
  });

  test('opens what a button says that was pressed while it was closed', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, DEVICE_ADDRESS, 'anna-9');
    await first.notifications.arriveFromFcm(await fcmPush(first, 'anna-9'), 'background');
    await first[Symbol.asyncDispose]();
    const [shown] = handset.screen;
    await using app = new ExpoApp(network, handset, DEVICE_ADDRESS);
    await app.notifications.pressButton('track', shown?.data ?? {});
    assert.deepEqual(app.opened, ['https://shop.example/42']);
  });

  test('opens once what was tapped to start it', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, DEVICE_ADDRESS, 'anna-6');
    const push = await fcmPush(first, 'anna-6');
    await first[Symbol.asyncDispose]();
    await using app = new ExpoApp(network, handset, DEVICE_ADDRESS, responseOf(push.message.data));
    await app.start();
    assert.deepEqual(app.opened, ['https://shop.example/42']);
    assert.equal(app.notifications.getLastNotificationResponse(), null);
  });

  test('leaves alone what does not come from Homing', async () => {
    await using app = await signedIn(allowed('ios'), EXPO_ADDRESS, 'anna-7');
    const behavior = await app.notifications.arriveFromExpo({ title: 'Other', data: { a: 1 } });
    assert.equal(behavior.shouldShowBanner, true);
  });
});
