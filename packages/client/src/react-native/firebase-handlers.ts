import type { FirebaseListener, FirebaseMessage, FirebaseMessaging } from './firebase-messaging.ts';
import { readPush, type Drawing, type ReceivedPush } from './push-data.ts';
import type { PushReceiver } from './push-receiver.ts';

/**
 * Takes what comes through `@react-native-firebase/messaging`. To be called where the app's bundle
 * begins (`index.js`), because Android runs no more than that for a push to a closed app. Pushes
 * that are not of Homing are left alone. The result ends what can be ended.
 *
 * - In the background (Android): what the app has to draw is drawn if it may be shown.
 * - In the foreground: the system draws nothing, so everything that may be shown is drawn.
 * - Tapped: only what is meant for whoever is signed in now is opened.
 */
export function handleFirebasePushes<M>(
  firebase: FirebaseMessaging<M>,
  receiver: PushReceiver,
): () => void {
  const messaging = firebase.getMessaging();
  const opened: FirebaseListener = async ({ data }) => {
    const push = readPush(data);
    if (push !== null) await receiver.open(push, null);
  };
  firebase.setBackgroundMessageHandler(messaging, async ({ data, notification }) => {
    const push = readPush(data);
    if (push === null) return;
    await receiver.receive(push, push.drawing ?? (notification === undefined ? null : 'system'));
    // The process may be stopped as soon as this ends: what it has to tell goes out before.
    await receiver.settled();
  });
  const ends = [
    firebase.onMessage(messaging, async (message) => {
      const push = readPush(message.data);
      if (push !== null) await receiver.receive(push, foregroundDrawing(push, message));
    }),
    firebase.onNotificationOpenedApp(messaging, opened),
  ];
  void openFirst(firebase, opened);
  return () => {
    for (const end of ends) end();
  };
}

/** What was tapped to start the app. */
async function openFirst<M>(
  firebase: FirebaseMessaging<M>,
  opened: FirebaseListener,
): Promise<void> {
  const first = await firebase.getInitialNotification(firebase.getMessaging()).catch(() => null);
  if (first !== null) await opened(first);
}

/** What the system would have drawn in the background. */
function foregroundDrawing(push: ReceivedPush, message: FirebaseMessage): Drawing | null {
  if (push.drawing !== null || message.notification === undefined) return push.drawing;
  const { title, body } = message.notification;
  return {
    tag: push.envelope.id,
    title: title ?? null,
    body: body ?? null,
    image: null,
    badge: null,
    sound: null,
    actions: push.actions,
    data: envelopeData(push),
  };
}

/** As FCM has it, so that `readPush` finds it again when the drawing is tapped. */
function envelopeData({ envelope, url, data }: ReceivedPush): Readonly<Record<string, string>> {
  const own = Object.entries(data).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return {
    ...Object.fromEntries(own),
    homing_notification: envelope.id,
    ...(envelope.rcpt !== undefined && { homing_rcpt: envelope.rcpt }),
    ...(url !== null && { homing_url: url }),
  };
}
