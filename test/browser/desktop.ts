import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ownDirectory } from './browser-process.ts';
import { BusGuest, type DesktopNotification } from './bus-guest.ts';
import type { BusBody } from './bus-message.ts';
import { Inbox } from './inbox.ts';

/**
 * A desktop that shows notifications to a test, which can click them: a D-Bus on which there is
 * nothing but `org.freedesktop.Notifications`
 * (https://specifications.freedesktop.org/notification-spec/latest/).
 */
export interface Desktop extends AsyncDisposable {
  /** For `DBUS_SESSION_BUS_ADDRESS`. */
  readonly address: string;
  /** The next notification with this title. */
  shown(title: string): Promise<DesktopNotification>;
  /** Resolves when the browser has taken one off the screen. */
  taken(notification: DesktopNotification): Promise<void>;
  /** Clicks one, or one of its buttons. */
  click(notification: DesktopNotification, action?: string): void;
  /** Closes one, as a person does. */
  close(notification: DesktopNotification): void;
}

const DISMISSED_BY_PERSON = 2;

export async function startDesktop(): Promise<Desktop> {
  await using stack = new AsyncDisposableStack();
  const directory = await ownDirectory(stack, 'homing-desktop-');
  const path = join(directory, 'bus');
  const shown = new Inbox<DesktopNotification>();
  const taken = new Inbox<number>();
  const guests = new Set<BusGuest>();
  const server = createServer((socket) => {
    const guest = new BusGuest(socket, shown, taken);
    guests.add(guest);
    socket.once('close', () => guests.delete(guest));
  });
  server.listen(path);
  await once(server, 'listening');
  stack.defer(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const guest of guests) guest.drop();
    await closed;
  });
  const signal = (member: string, body: BusBody): void => {
    for (const guest of guests) guest.signal(member, body);
  };
  const owned = stack.move();
  return {
    address: `unix:path=${path}`,
    shown: (title) => shown.take(`a notification "${title}"`, (one) => one.title === title),
    async taken({ id, title }) {
      await taken.take(`the end of "${title}"`, (one) => one === id);
    },
    click: ({ id }, action = 'default') =>
      signal('ActionInvoked', { signature: 'us', values: [id, action] }),
    close: ({ id }) =>
      signal('NotificationClosed', { signature: 'uu', values: [id, DISMISSED_BY_PERSON] }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
