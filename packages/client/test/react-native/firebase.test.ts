import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startNetwork, type Network } from '../../../../test/network.ts';
import { FirebaseApp, pushTo, type FirebaseAppOptions } from './firebase-phone.ts';
import { nativeError, type FcmBody } from './firebase-stand-in.ts';
import { allowed, Handset, fcmTokenValue } from './handset.ts';

let network: Network;

before(async () => {
  network = await startNetwork();
});

after(() => network[Symbol.asyncDispose]());

/** An app that was started, and somebody signed in. */
async function signedIn(
  handset: Handset,
  userId: string,
  options: FirebaseAppOptions = {},
): Promise<FirebaseApp> {
  const app = new FirebaseApp(network, handset, options);
  await app.start();
  await app.login(userId);
  return app;
}

/** What the registry holds for the installation of a process. */
async function registered(app: FirebaseApp) {
  const { installationId } = await app.client.status();
  return network.backEnd.installation(installationId);
}

function userOf(installation: Awaited<ReturnType<typeof registered>>): unknown {
  return installation['user']?.['id'] ?? null;
}

describe('permission on Android 13 and later', () => {
  test('without it no token is asked for; with it the phone registers', async () => {
    const handset = new Handset('android');
    await using app = new FirebaseApp(network, handset);
    await app.start();
    assert.equal(app.firebase.tokensGiven, 0);
    assert.equal((await registered(app))['permission'], 'default');
    assert.equal(await app.client.subscribe(), 'granted');
    await app.client.settled();
    const stored = await registered(app);
    assert.equal(stored['permission'], 'granted');
    assert.equal(stored['token']?.['status'], 'live');
  });

  test('a refusal is remembered by the next process, and undone in the settings', async () => {
    const handset = new Handset('android');
    handset.answer = 'denied';
    {
      await using app = new FirebaseApp(network, handset);
      await app.start();
      assert.equal(await app.client.subscribe(), 'denied');
    }
    await using app = new FirebaseApp(network, handset);
    await app.start();
    assert.equal(await app.client.subscribe(), 'denied');
    assert.equal(handset.timesAsked, 1);
    assert.equal((await registered(app))['permission'], 'denied');
    handset.permission = 'granted';
    app.appState.change('active');
    await app.client.settled();
    assert.equal((await registered(app))['token']?.['status'], 'live');
  });
});

describe('a permission that was taken back in the settings', () => {
  test('counts as refused, and is not asked for again', async () => {
    const handset = new Handset('android');
    await using app = new FirebaseApp(network, handset);
    await app.start();
    assert.equal(await app.client.subscribe(), 'granted');
    handset.permission = 'denied';
    app.appState.change('active');
    await app.client.settled();
    assert.equal((await registered(app))['permission'], 'denied');
    assert.equal(await app.client.subscribe(), 'denied');
    assert.equal(handset.timesAsked, 1);
  });
});

describe('permission on iOS', () => {
  test('may be provisional, without anybody being asked', async () => {
    const handset = new Handset('ios');
    await using app = new FirebaseApp(network, handset, { iosPermissions: { provisional: true } });
    await app.start();
    assert.equal(await app.client.subscribe(), 'provisional');
    await app.client.settled();
    assert.equal(handset.timesAsked, 0);
    assert.equal((await registered(app))['permission'], 'provisional');
  });
});

describe('tokens', () => {
  test('of an iPhone are had once the phone is registered with APNs', async () => {
    await using app = await signedIn(allowed('ios'), 'ios-1');
    assert.equal((await registered(app))['token']?.['provider'], 'fcm');
  });

  test('installation ids take their place where the app has switched them on', async () => {
    const options = { address: 'installation_id' } as const;
    await using app = await signedIn(allowed('android'), 'fid-1', options);
    assert.equal((await registered(app))['token']?.['kind'], 'fid');
    await pushTo(network, 'fid-1', app.handset.installationId);
  });

  test('an installation id that the module knows already is had when it is asked again', async () => {
    const options = { address: 'installation_id' } as const;
    await using app = await signedIn(allowed('android'), 'fid-2', options);
    const failures: string[] = [];
    app.client.on('token_error', ({ code }) => failures.push(code));
    app.appState.change('active');
    await app.client.settled();
    assert.deepEqual([failures, (await app.client.status()).token], [[], 'present']);
  });

  test('of the kind that the app has not switched on are a failure, and keep no logout', async () => {
    const code = 'messaging/token-api-disabled';
    await using app = new FirebaseApp(network, allowed('android'));
    app.firebase.refusal = nativeError(code, 'the app has installation ids');
    app.firebase.failure = app.firebase.refusal;
    const codes: string[] = [];
    app.client.on('token_error', (event) => codes.push(event.code));
    await app.start();
    assert.deepEqual(codes, [code]);
    assert.equal((await registered(app))['token'], null);
  });

  test('a refresh before and after the login is where pushes go', async () => {
    const handset = allowed('android');
    await using app = new FirebaseApp(network, handset);
    await app.start();
    app.firebase.refresh(fcmTokenValue());
    await app.login('anna-1');
    await pushTo(network, 'anna-1', handset.fcmToken);
    app.firebase.refresh(fcmTokenValue());
    await app.client.settled();
    await pushTo(network, 'anna-1', handset.fcmToken);
    assert.equal(userOf(await registered(app)), 'anna-1');
  });

  test('are given back by unsubscribing, and had anew by subscribing', async () => {
    const handset = allowed('android');
    await using app = await signedIn(handset, 'anna-13');
    await app.client.unsubscribe();
    await app.client.settled();
    assert.equal(handset.fcmToken, '', 'Firebase was told');
    assert.equal((await registered(app))['token'], null);
    assert.equal(userOf(await registered(app)), 'anna-13');
    handset.fcmToken = fcmTokenValue();
    await app.client.subscribe();
    await app.client.settled();
    await pushTo(network, 'anna-13', handset.fcmToken);
  });

  test('what the system fails with is told by the name that it has there', async () => {
    for (const [error, code] of [
      [
        nativeError('messaging/unknown', 'java.io.IOException: SERVICE_NOT_AVAILABLE'),
        'SERVICE_NOT_AVAILABLE',
      ],
      [
        nativeError('messaging/unknown', 'MISSING_INSTANCEID_SERVICE'),
        'MISSING_INSTANCEID_SERVICE',
      ],
      [nativeError('E_REGISTRATION_FAILED', 'Fetching the token failed'), 'E_REGISTRATION_FAILED'],
    ] as const) {
      await using app = new FirebaseApp(network, allowed('android'));
      app.firebase.failure = error;
      const codes: string[] = [];
      app.client.on('token_error', (event) => codes.push(event.code));
      await app.start();
      assert.deepEqual(codes, [code]);
      assert.equal((await app.client.status()).token, 'failed');
    }
  });
});

describe('a push to Android', () => {
  test('is drawn in the background and in the foreground, and opened by a tap', async () => {
    await using app = await signedIn(allowed('android'), 'anna-2');
    const push = await pushTo(network, 'anna-2', app.handset.fcmToken);
    assert.equal(push.message.notification, undefined, 'the system itself draws nothing');
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(app.handset.titles, ['For anna-2']);
    await app.notifee.emit('press', 'For anna-2');
    assert.deepEqual(app.opened, ['https://shop.example/42']);
    app.handset.clear();
    const second = await pushTo(network, 'anna-2', app.handset.fcmToken);
    await app.firebase.arriveInForeground(second);
    assert.deepEqual(app.handset.titles, ['For anna-2']);
  });

  test('that comes twice is drawn once', async () => {
    await using app = await signedIn(allowed('android'), 'anna-3');
    const push = await pushTo(network, 'anna-3', app.handset.fcmToken);
    await app.firebase.arriveInBackground(push);
    app.handset.clear();
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(app.handset.titles, []);
  });

  test('wakes a closed app, whose process reports that it was displayed', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, 'anna-4');
    await first[Symbol.asyncDispose]();
    const push = await pushTo(network, 'anna-4', handset.fcmToken);
    await using app = new FirebaseApp(network, handset);
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(handset.titles, ['For anna-4']);
    assert.ok(app.exchanges.includes('POST 200'), app.exchanges.join());
  });
});

describe('a tap that starts the app', () => {
  test('opens once on Android, which tells of it twice', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, 'anna-15');
    await first.firebase.arriveInBackground(await pushTo(network, 'anna-15', handset.fcmToken));
    await first[Symbol.asyncDispose]();
    const [drawing] = handset.screen;
    assert.ok(drawing !== undefined);
    await using app = new FirebaseApp(network, handset, { tappedDrawing: drawing });
    await app.start();
    assert.deepEqual(app.opened, ['https://shop.example/42']);
  });

  test('opens once on iOS, which tells of it twice', async () => {
    const handset = allowed('ios');
    const first = await signedIn(handset, 'anna-16');
    const push = await pushTo(network, 'anna-16', handset.fcmToken);
    await first[Symbol.asyncDispose]();
    await using app = new FirebaseApp(network, handset, { tappedPush: push });
    await app.start();
    assert.deepEqual(app.opened, ['https://shop.example/42']);
  });
});

describe('a push to an iPhone', () => {
  test('is shown by the extension only to whoever the app says is signed in', async () => {
    await using app = await signedIn(allowed('ios'), 'anna-10');
    const push = await pushTo(network, 'anna-10', app.handset.fcmToken);
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(app.handset.titles, ['For anna-10']);
    app.handset.isOnline = false;
    await app.client.logout();
    assert.deepEqual(app.handset.sharedTags, []);
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(app.handset.titles, []);
  });

  test('is drawn in the foreground, where the system draws nothing', async () => {
    await using app = await signedIn(allowed('ios'), 'anna-11');
    const push = await pushTo(network, 'anna-11', app.handset.fcmToken);
    await app.firebase.arriveInForeground(push);
    assert.deepEqual(app.handset.titles, ['For anna-11']);
    await app.notifee.emit('press', 'For anna-11');
    assert.deepEqual(app.opened, ['https://shop.example/42']);
  });
});

describe('a phone that changes hands', () => {
  test('a logout without a network holds after the app was killed, and goes out first', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, 'anna-5');
    const { installationId } = await first.client.status();
    await first.firebase.arriveInBackground(await pushTo(network, 'anna-5', handset.fcmToken));
    handset.isOnline = false;
    handset.badge = 3;
    await first.client.logout();
    await first[Symbol.asyncDispose]();
    assert.deepEqual([handset.titles, handset.badge], [[], 0], 'nothing is left on the screen');

    const push = await pushTo(network, 'anna-5', handset.fcmToken);
    {
      await using woken = new FirebaseApp(network, handset);
      await woken.firebase.arriveInBackground(push);
      assert.deepEqual(handset.titles, []);
    }
    handset.isOnline = true;
    await using app = new FirebaseApp(network, handset);
    await app.start();
    assert.equal(app.exchanges[0], 'DELETE 204');
    assert.equal(userOf(await network.backEnd.installation(installationId)), null);
  });

  test('a push for whoever was signed in before is neither shown nor opened', async () => {
    await using app = await signedIn(allowed('android'), 'anna-6');
    const late = await pushTo(network, 'anna-6', app.handset.fcmToken);
    const tapped = await pushTo(network, 'anna-6', app.handset.fcmToken);
    await app.login('ben-6');
    await app.firebase.arriveInBackground(late);
    await app.firebase.arriveInForeground(late);
    await app.firebase.tap(tapped);
    assert.deepEqual([app.handset.titles, app.opened], [[], []]);
    const push = await pushTo(network, 'ben-6', app.handset.fcmToken);
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(app.handset.titles, ['For ben-6']);
  });

  test('a drawing that is slower than the logout does not stay', async () => {
    await using app = await signedIn(allowed('android'), 'anna-12');
    const push = await pushTo(network, 'anna-12', app.handset.fcmToken);
    const { promise, resolve } = Promise.withResolvers<void>();
    app.notifee.delay = promise;
    const received = app.firebase.arriveInBackground(push);
    await app.logout();
    resolve();
    await received;
    assert.deepEqual(app.handset.titles, []);
  });

  test('before the first unlock nothing is shown, and the phone stays the one it was', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, 'anna-7');
    const { installationId } = await first.client.status();
    await first[Symbol.asyncDispose]();
    const push = await pushTo(network, 'anna-7', handset.fcmToken);
    await using app = new FirebaseApp(network, handset);
    handset.isLocked = true;
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(handset.titles, []);
    handset.isLocked = false;
    await app.firebase.arriveInBackground(push);
    assert.deepEqual(handset.titles, ['For anna-7']);
    assert.equal((await app.client.status()).installationId, installationId);
  });
});

describe('a strict app', () => {
  before(() => network.backEnd.request('PATCH', '/v1/app', { takeover: 'challenge' }));
  after(() => network.backEnd.request('PATCH', '/v1/app', { takeover: 'nonce' }));

  test('asks the phone itself whose data was cleared, also while the app is closed', async () => {
    const handset = allowed('android');
    const first = await signedIn(handset, 'anna-14');
    await first[Symbol.asyncDispose]();
    handset.vault.clear();
    const before = network.journal.counters.received;
    const second = await signedIn(handset, 'ben-14');
    await second[Symbol.asyncDispose]();
    await network.drain();
    const [challenge] = network.journal.entries({ after: before, token: handset.fcmToken });
    await using woken = new FirebaseApp(network, handset);
    await woken.firebase.arriveInBackground(challenge?.body as FcmBody);
    assert.deepEqual(handset.titles, []);
    assert.equal((await registered(woken))['token']?.['status'], 'live');
    await pushTo(network, 'ben-14', handset.fcmToken);
  });
});

describe('a phone that was copied or begun anew', () => {
  test('a phone set up from a backup is another installation, and both get pushes', async () => {
    const [mine, other] = [allowed('ios'), allowed('ios')];
    await using first = await signedIn(mine, 'anna-8');
    mine.restoreOnto(other);
    await using second = await signedIn(other, 'anna-8');
    const [one, two] = await Promise.all([registered(first), registered(second)]);
    assert.notEqual(one['id'], two['id']);
    await pushTo(network, 'anna-8', mine.fcmToken);
    await pushTo(network, 'anna-8', other.fcmToken);
  });

  test('an app installed again on an iPhone enrols anew, and takes the place of the old one', async () => {
    const handset = allowed('ios');
    const options = { vendorId: 'E621E1F8-C36C-495A-93FC-0C247A3E6E5F' };
    const first = await signedIn(handset, 'anna-9', options);
    const { installationId } = await first.client.status();
    await first[Symbol.asyncDispose]();
    handset.uninstall();
    assert.ok(handset.vault.size > 0, 'the keychain outlived the app');
    handset.permission = 'granted';
    await using app = await signedIn(handset, 'anna-9', options);
    assert.notEqual((await app.client.status()).installationId, installationId);
    assert.equal(userOf(await network.backEnd.installation(installationId)), null);
    await pushTo(network, 'anna-9', handset.fcmToken);
  });
});
