import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { ExpoApp, EXPO_ADDRESS } from './expo-phone.ts';
import type { ExpoBody } from './expo-stand-in.ts';
import { FirebaseApp, pushTo } from './firebase-phone.ts';
import type { FcmBody } from './firebase-stand-in.ts';
import { allowed } from './handset.ts';
import { sendPush } from './sent-push.ts';

let network: Network;

before(async () => {
  network = await startNetwork();
});

after(() => network[Symbol.asyncDispose]());

async function signedIn<A extends FirebaseApp | ExpoApp>(app: A, userId: string): Promise<A> {
  await app.start();
  await app.login(userId);
  return app;
}

/** What phones reported of pushes to a user. */
async function receiptsOf(userId: string): Promise<readonly string[]> {
  const { body } = await network.backEnd.get(`/v1/users/${userId}/export`);
  const receipts = body['receipts'] as unknown as readonly { readonly kind: string }[];
  return receipts.map(({ kind }) => kind);
}

describe('what is reported as displayed', () => {
  test('is what the app has drawn, once', async () => {
    await using app = await signedIn(new FirebaseApp(network, allowed('android')), 'anna-1');
    const push = await pushTo(network, 'anna-1', app.handset.fcmToken);
    await app.firebase.arriveInBackground(push);
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(await receiptsOf('anna-1'), ['displayed']);
  });

  test('is nothing that there is nothing to see of', async () => {
    await using app = await signedIn(new FirebaseApp(network, allowed('android')), 'anna-2');
    const { message } = await pushTo(network, 'anna-2', app.handset.fcmToken);
    const { homing_tag: _tag, ...data } = message.data;
    const silent: FcmBody = { message: { ...message, data } };
    await app.firebase.arriveInBackground(silent);
    await app.firebase.arriveInForeground(silent);
    await app.client.settled();
    assert.deepEqual([app.arrived.length, await receiptsOf('anna-2')], [1, []]);
  });

  test('is nothing that could not be drawn', async () => {
    await using app = await signedIn(new FirebaseApp(network, allowed('android')), 'anna-3');
    const push = await pushTo(network, 'anna-3', app.handset.fcmToken);
    app.handset.permission = 'denied';
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(await receiptsOf('anna-3'), []);
  });

  test('is nothing that a logout took away while it was drawn', async () => {
    await using app = await signedIn(new FirebaseApp(network, allowed('android')), 'anna-4');
    const push = await pushTo(network, 'anna-4', app.handset.fcmToken);
    const { promise, resolve } = Promise.withResolvers<void>();
    app.notifee.delay = promise;
    const arrived = app.firebase.arriveInBackground(push);
    await app.logout();
    resolve();
    await arrived;
    assert.deepEqual(await receiptsOf('anna-4'), []);
  });

  test('is what Expo draws itself, while somebody looks at the app', async () => {
    await using app = new ExpoApp(network, allowed('ios'), EXPO_ADDRESS);
    await signedIn(app, 'anna-5');
    const token = `ExponentPushToken[${app.handset.apnsToken.slice(0, 22)}]`;
    const push = (await sendPush(network, 'anna-5', token)) as ExpoBody;
    await app.notifications.arriveFromExpo({ data: push.data });
    await app.client.settled();
    assert.deepEqual(await receiptsOf('anna-5'), []);
    await app.notifications.arriveFromExpo(push);
    await app.client.settled();
    assert.deepEqual(await receiptsOf('anna-5'), ['displayed']);
  });
});
