import type { TokenAnswer } from '../core/ports.ts';
import type { FirebaseMessaging, FirebaseRegistration } from './firebase-messaging.ts';
import { tokenFailure } from './token-failure.ts';
import type { TokenSource } from './token-source.ts';

/** FCM registration tokens, of Android as of iOS. */
export function createFirebaseTokenSource<M>(firebase: FirebaseMessaging<M>): TokenSource {
  const messaging = firebase.getMessaging();
  return {
    async ask() {
      await registerWithApns(firebase, messaging);
      return fcmToken('token', await firebase.getToken(messaging));
    },
    listen: (listener) =>
      firebase.onTokenRefresh(messaging, (value) =>
        listener({ provider: 'fcm', kind: 'token', value }),
      ),
    drop: () => firebase.deleteToken(messaging),
  };
}

/**
 * Firebase installation ids, for apps that have switched them on; Firebase refuses tokens to those.
 * The id comes as an event: before or after the promise is kept, or, where the module knows it
 * already, while the listener is being added.
 */
export function createInstallationIdSource<M>(
  firebase: FirebaseMessaging<M> & FirebaseRegistration<M>,
): TokenSource {
  const messaging = firebase.getMessaging();
  // Of a question without an answer; the next one takes its place.
  let stopWaiting: (() => void) | null = null;
  return {
    async ask() {
      await registerWithApns(firebase, messaging);
      stopWaiting?.();
      let tell: ((id: string) => void) | null = null;
      const told = new Promise<string>((resolve) => {
        tell = resolve;
      });
      const stop = firebase.onRegistered(messaging, (id) => tell?.(id));
      stopWaiting = stop;
      try {
        await firebase.register(messaging);
        return fcmToken('fid', await told);
      } finally {
        stop();
      }
    },
    listen: (listener) =>
      firebase.onRegistered(messaging, (value) =>
        listener({ provider: 'fcm', kind: 'fid', value }),
      ),
    drop: () => firebase.unregister(messaging),
  };
}

/** On iOS nothing has a token before APNs has; Android says that it is registered. */
async function registerWithApns<M>(firebase: FirebaseMessaging<M>, messaging: M): Promise<void> {
  if (firebase.isDeviceRegisteredForRemoteMessages(messaging)) return;
  await firebase.registerDeviceForRemoteMessages(messaging);
}

function fcmToken(kind: 'token' | 'fid', value: string): TokenAnswer {
  if (value === '') return tokenFailure('no_token', 'Firebase gave an empty token.');
  return { kind: 'token', token: { provider: 'fcm', kind, value } };
}
