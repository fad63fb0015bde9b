import type {
  ExpoBehavior,
  ExpoNotification,
  ExpoNotifications,
  ExpoResponse,
} from './expo-notifications.ts';
import { readPush, type ReceivedPush } from './push-data.ts';
import type { PushReceiver } from './push-receiver.ts';

const SHOW: ExpoBehavior = {
  shouldShowBanner: true,
  shouldShowList: true,
  shouldPlaySound: true,
  shouldSetBadge: true,
};
const HIDE: ExpoBehavior = {
  shouldShowBanner: false,
  shouldShowList: false,
  shouldPlaySound: false,
  shouldSetBadge: false,
};
/** What is called an action where the notification itself was tapped. */
const DEFAULT_ACTION = 'expo.modules.notifications.actions.DEFAULT';

/**
 * Takes what comes through `expo-notifications` while the app is in the foreground, and every tap.
 * To be called where the app's bundle begins. `otherwise` says how notifications look that did not
 * come from Homing, local ones included; default: they are shown. The result ends what can be
 * ended.
 */
export function handleExpoPushes(
  notifications: ExpoNotifications,
  receiver: PushReceiver,
  otherwise: (notification: ExpoNotification) => ExpoBehavior = () => SHOW,
): () => void {
  notifications.setNotificationHandler({
    handleNotification: async (notification) => {
      const push = isRemote(notification) ? pushOf(notification) : null;
      if (push === null) return otherwise(notification);
      const { content } = notification.request;
      const shown = await receiver.receive(push, push.drawing ?? drawnByExpo(content, 'body'));
      return shown && push.drawing === null ? SHOW : HIDE;
    },
  });
  const taps = notifications.addNotificationResponseReceivedListener(async (response) => {
    notifications.clearLastNotificationResponse();
    await openResponse(receiver, response);
  });
  // What was tapped to start the app was there before anybody could listen.
  const first = notifications.getLastNotificationResponse();
  if (first !== null) {
    void openResponse(receiver, first);
    notifications.clearLastNotificationResponse();
  }
  return () => taps.remove();
}

/**
 * What `TaskManager.defineTask` is to be given, so that Android draws a push to a closed app only
 * for whoever is signed in. iOS runs it for silent pushes alone.
 */
export function createExpoBackgroundTask(
  receiver: PushReceiver,
): (body: { readonly data: unknown }) => Promise<void> {
  return async ({ data }) => {
    if (isResponse(data)) {
      await openResponse(receiver, data);
    } else {
      const push = taskPush(data);
      const drawn = drawnByExpo(member(data, 'data'), 'message');
      if (push !== null) await receiver.receive(push, push.drawing ?? drawn);
    }
    // The process may be stopped as soon as this ends: what it has to tell goes out before.
    await receiver.settled();
  };
}

async function openResponse(receiver: PushReceiver, response: ExpoResponse): Promise<void> {
  const push = pushOf(response.notification);
  const { actionIdentifier } = response;
  const action = actionIdentifier === DEFAULT_ACTION ? null : actionIdentifier;
  if (push !== null) await receiver.open(push, action);
}

/**
 * A push of Expo's has its data in the content, as text where a task gets it, and so has what we
 * drew; one straight from APNs or FCM has it in the trigger, where the whole payload is.
 */
function pushOf({ request }: ExpoNotification): ReceivedPush | null {
  const { content, trigger } = request;
  return (
    readPush(content.data) ??
    readPush(parsed(member(content, 'dataString'))) ??
    readPush(member(trigger, 'payload')) ??
    readPush(member(member(trigger, 'remoteMessage'), 'data'))
  );
}

/** Expo hands its own data over as text on Android, and beside Apple's own keys on iOS. */
function taskPush(payload: unknown): ReceivedPush | null {
  const data = member(payload, 'data');
  return (
    readPush(data) ??
    readPush(parsed(member(data, 'dataString'))) ??
    readPush(parsed(member(data, 'body')))
  );
}

/** Whether there are words for a person, under the names that a notification or its data has. */
function drawnByExpo(content: unknown, bodyName: string): 'system' | null {
  const texts = [member(content, 'title'), member(content, bodyName)];
  return texts.some((text) => typeof text === 'string' && text !== '') ? 'system' : null;
}

function isRemote({ request }: ExpoNotification): boolean {
  return member(request.trigger, 'type') === 'push';
}

function isResponse(payload: unknown): payload is ExpoResponse {
  return (
    typeof member(payload, 'actionIdentifier') === 'string' &&
    member(member(payload, 'notification'), 'request') !== undefined
  );
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
