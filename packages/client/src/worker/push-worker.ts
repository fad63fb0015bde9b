import { openContextChannel } from '../web/context-channel.ts';
import { followClick } from './follow-click.ts';
import { parsePush } from './push-payload.ts';
import { receivePush } from './receive-push.ts';
import { shownPush } from './shown-push.ts';
import {
  FORGETFUL,
  openWorkerClient,
  type RunningWorkerClient,
  type WorkerClient,
} from './worker-client.ts';

/**
 * What a service worker does with pushes. Each function takes the event of its name, at once and
 * not after something awaited; it answers whether the event is Homing's, and leaves others alone.
 */
export interface PushWorker {
  handlePush(event: PushEvent): boolean;
  handleNotificationClick(event: NotificationEvent): boolean;
  handleNotificationClose(event: NotificationEvent): boolean;
  /** Subscribes anew; nobody need be signed in, or have any page of the site open. */
  handleSubscriptionChange(event: ExtendableEvent): void;
}

/** A browser ends a worker that takes longer; what is unsent by then goes with a later event. */
const SENDING_MS = 20_000;

/** `scope` is the worker's `self`. */
export function createPushWorker(scope: ServiceWorkerGlobalScope): PushWorker {
  const { registration, clients } = scope;
  const channel = openContextChannel();
  /** What was clicked, by the notification's id. */
  const clicked = new Set<string>();

  /**
   * Does the work with a client of its own, then lives on until what came of it is sent. A client
   * that stayed would know a subscription that pages may have replaced meanwhile.
   */
  const withClient = async (work: (client: WorkerClient) => Promise<void>): Promise<void> => {
    const client = await openWorkerClient(registration, channel).catch(() => null);
    if (client === null) return work(FORGETFUL);
    try {
      await work(client);
      await sent(client);
    } finally {
      await client[Symbol.asyncDispose]();
    }
  };

  return {
    handlePush(event) {
      const payload = parsePush(event.data);
      if (payload === null) return false;
      event.waitUntil(withClient((client) => receivePush(scope, client, payload)));
      return true;
    },
    handleNotificationClick(event) {
      const { notification, action } = event;
      const shown = shownPush(notification);
      if (shown === null) return false;
      clicked.add(shown.envelope.id);
      notification.close();
      event.waitUntil(withClient((client) => followClick(clients, client, shown, action)));
      return true;
    },
    handleNotificationClose(event) {
      const { tag } = event.notification;
      const shown = shownPush(event.notification);
      if (shown === null) return false;
      // Firefox says of everything that goes that it was closed, whoever did it, and may say so
      // before the click is dealt with. A person closes what has neither been clicked nor been
      // replaced by a newer one of the same tag.
      if (clicked.has(shown.envelope.id)) return true;
      event.waitUntil(
        withClient(async (client) => {
          const isReplaced = (await registration.getNotifications({ tag })).length > 0;
          if (!isReplaced) await client.dismissed(shown.envelope);
        }),
      );
      return true;
    },
    handleSubscriptionChange(event) {
      event.waitUntil(
        withClient(async (client) => {
          await client.start();
          channel.announce('token');
        }),
      );
    },
  };
}

async function sent(client: RunningWorkerClient): Promise<void> {
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    deadline = setTimeout(resolve, SENDING_MS);
  });
  await Promise.race([client.settled(), late]);
  clearTimeout(deadline);
}
