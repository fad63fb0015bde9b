import type { Socket } from 'node:net';
import {
  readBusMessage,
  writeBusMessage,
  type BusBody,
  type BusFields,
  type BusMessage,
  type BusValue,
} from './bus-message.ts';
import type { Inbox } from './inbox.ts';

/** A notification as a browser hands it to the desktop. */
export interface DesktopNotification {
  readonly id: number;
  readonly title: string;
  readonly body: string;
  /** Ids and labels in turn; the id `default` is a click on the notification itself. */
  readonly actions: readonly string[];
}

const CLOSED_BY_SENDER = 3;
const BUS = 'org.freedesktop.DBus';
const NOTIFICATIONS = 'org.freedesktop.Notifications';
const NOTIFICATIONS_PATH = '/org/freedesktop/Notifications';
/** The names that connections have on the bus. */
const GUEST_NAME = ':1.1';
const SERVICE_NAME = ':1.2';
const ALREADY_RUNNING = 2;
const NOTHING: BusBody = { signature: '', values: [] };

/** A program that is connected to the bus: first it signs in by lines of text, then it calls. */
export class BusGuest {
  readonly #socket: Socket;
  readonly #shown: Inbox<DesktopNotification>;
  readonly #taken: Inbox<number>;
  #unread = Buffer.alloc(0);
  #hasBegun = false;
  #lastSerial = 0;
  #lastId = 0;

  /** What it shows, and the ids of what it takes off the screen, go into these. */
  constructor(socket: Socket, shown: Inbox<DesktopNotification>, taken: Inbox<number>) {
    this.#socket = socket;
    this.#shown = shown;
    this.#taken = taken;
    // A browser that is killed leaves a reset connection.
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      this.#unread = Buffer.concat([this.#unread, bytes]);
      if (!this.#hasBegun) this.#signIn();
      if (this.#hasBegun) this.#readMessages();
    });
  }

  drop(): void {
    this.#socket.destroy();
  }

  signal(member: string, body: BusBody): void {
    const fields = { path: NOTIFICATIONS_PATH, interface: NOTIFICATIONS, member };
    this.#send('signal', { ...fields, sender: SERVICE_NAME }, body);
  }

  #signIn(): void {
    for (;;) {
      const end = this.#unread.indexOf('\r\n');
      if (end < 0 || this.#hasBegun) return;
      const line = this.#unread.toString('latin1', 0, end).replace('\0', '');
      this.#unread = this.#unread.subarray(end + 2);
      if (line === 'BEGIN') this.#hasBegun = true;
      else if (line.startsWith('AUTH EXTERNAL')) this.#socket.write(`OK ${'0'.repeat(32)}\r\n`);
      else this.#socket.write('ERROR\r\n');
    }
  }

  #readMessages(): void {
    for (;;) {
      const found = readBusMessage(this.#unread);
      if (found === null) return;
      this.#unread = this.#unread.subarray(found.size);
      if (found.message.kind === 'call') this.#answer(found.message);
    }
  }

  #answer({ serial, fields, body }: BusMessage): void {
    const { destination = '', member = '' } = fields;
    const known = { [BUS]: BUS_METHODS, [NOTIFICATIONS]: NOTIFICATION_METHODS }[destination];
    const reply =
      destination === NOTIFICATIONS && member === 'Notify'
        ? this.#notify(body.values)
        : (known?.[member]?.(body.values) ?? null);
    const sender = destination === NOTIFICATIONS ? SERVICE_NAME : BUS;
    const toGuest = { replySerial: serial, destination: GUEST_NAME, sender };
    if (reply === null) this.#send('error', { ...toGuest, errorName: NO_OWNER }, NOTHING);
    else this.#send('return', toGuest, reply);
    if (destination === NOTIFICATIONS && member === 'CloseNotification') {
      const id = Number(body.values[0]);
      this.#taken.add(id);
      this.signal('NotificationClosed', { signature: 'uu', values: [id, CLOSED_BY_SENDER] });
    }
  }

  #notify([, replaces, , title, text, actions]: readonly BusValue[]): BusBody {
    this.#lastId += 1;
    const id = replaces === 0 ? this.#lastId : Number(replaces);
    const labels = Array.isArray(actions) ? (actions as readonly string[]) : [];
    this.#shown.add({ id, title: String(title), body: String(text), actions: labels });
    return { signature: 'u', values: [id] };
  }

  #send(kind: BusMessage['kind'], fields: BusFields, body: BusBody): void {
    this.#lastSerial += 1;
    this.#socket.write(writeBusMessage({ kind, serial: this.#lastSerial, fields, body }));
  }
}

const NO_OWNER = 'org.freedesktop.DBus.Error.NameHasNoOwner';

type BusMethods = Readonly<Record<string, (values: readonly BusValue[]) => BusBody | null>>;

/** What a bus is asked; null says that there is nobody of that name. */
const BUS_METHODS: BusMethods = {
  Hello: () => ({ signature: 's', values: [GUEST_NAME] }),
  AddMatch: () => NOTHING,
  RemoveMatch: () => NOTHING,
  NameHasOwner: ([name]) => ({ signature: 'b', values: [name === NOTIFICATIONS] }),
  GetNameOwner: ([name]) =>
    name === NOTIFICATIONS ? { signature: 's', values: [SERVICE_NAME] } : null,
  StartServiceByName: ([name]) =>
    name === NOTIFICATIONS ? { signature: 'u', values: [ALREADY_RUNNING] } : null,
  ListNames: () => ({ signature: 'as', values: [[BUS, NOTIFICATIONS]] }),
  ListActivatableNames: () => ({ signature: 'as', values: [[]] }),
};

const NOTIFICATION_METHODS: BusMethods = {
  GetCapabilities: () => ({ signature: 'as', values: [['actions', 'body', 'persistence']] }),
  GetServerInformation: () => ({ signature: 'ssss', values: ['Desktop', 'Homing', '1', '1.2'] }),
  CloseNotification: () => NOTHING,
};
