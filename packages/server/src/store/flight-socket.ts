import { Socket, type SocketConstructorOpts } from 'node:net';

/** Where the driver wants to connect to, as it reads its URL; a path is that of a Unix socket. */
export interface SocketAddress {
  readonly path?: string | false;
  readonly host: readonly string[];
  readonly port: readonly number[];
}

/**
 * So much may wait to be sent before the driver holds back what comes next, which then goes out one
 * statement at a time, each after the answer to the one before. More than any flight has. (An
 * option of streams that the types of sockets leave out.)
 */
const OPTIONS: SocketConstructorOpts & StreamOptions = { writableHighWaterMark: 8 * 1024 * 1024 };

interface StreamOptions {
  readonly writableHighWaterMark: number;
}

type Written = (error?: Error | null) => void;

/**
 * A connection that sends what is written to it in one turn at once. The driver writes larger
 * statements one by one, and for a flight of statements each would cost a system call here, and
 * PostgreSQL a wake-up.
 */
export class FlightSocket extends Socket {
  #isHeldBack = false;

  constructor() {
    super(OPTIONS);
  }

  override write(bytes: string | Uint8Array, written?: Written): boolean;
  override write(text: string | Uint8Array, encoding?: BufferEncoding, written?: Written): boolean;
  override write(
    bytes: string | Uint8Array,
    encoding?: BufferEncoding | Written,
    written?: Written,
  ): boolean {
    this.#holdBack();
    return typeof encoding === 'string'
      ? super.write(bytes, encoding, written)
      : super.write(bytes, encoding);
  }

  /** Until everything that is ready to run by now has run, such as the rest of the flight. */
  #holdBack(): void {
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    this.cork();
    process.nextTick(() => {
      this.#isHeldBack = false;
      this.uncork();
    });
  }
}

/** Begins to connect to the first host; the driver watches what becomes of it. */
export function openFlightSocket(address: SocketAddress): FlightSocket {
  const socket = connect(new FlightSocket(), address);
  // To connect, Node sets a socket's `write` back to that of its own class.
  Reflect.deleteProperty(socket, 'write');
  return socket;
}

function connect(socket: FlightSocket, { path, host, port }: SocketAddress): FlightSocket {
  if (path) return socket.connect(path);
  const name = host[0] ?? 'localhost';
  // The driver asks the socket for the name that a certificate has to bear.
  Object.assign(socket, { host: name });
  return socket.connect(port[0] ?? 5432, name);
}
