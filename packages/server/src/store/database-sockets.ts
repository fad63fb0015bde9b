import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/** What the driver says of where it wants to connect to. */
export interface DatabasePlace {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a Unix-domain socket; false where there is none. */
  readonly path: string | false;
}

/** What happens with a server that offers TLS, or does not. */
type TlsMode = 'never' | 'if_offered' | 'unverified' | 'verified';

/** By `sslmode` of the URL. */
const TLS_MODES: ReadonlyMap<string, TlsMode> = new Map([
  ['disable', 'never'],
  ['false', 'never'],
  ['allow', 'if_offered'],
  ['prefer', 'if_offered'],
  ['require', 'unverified'],
]);

/** PostgreSQL's request for TLS (its protocol, "SSL Session Encryption"). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const ACCEPTED = 'S'.charCodeAt(0);
const DECLINED = 'N'.charCodeAt(0);

/** For the connection and its TLS together. */
const CONNECT_MS = 10_000;
/** The driver writes at once, or, for a mistake of its own, never. */
const FIRST_WRITE_MS = 250;

/**
 * The sockets of a pool, connected and with their TLS before the driver gets them. They begin at
 * the first host of the URL, and go to the next one after a failure.
 *
 * The driver (postgres 3.4.9) fails the statements of a connection when its socket tells of an
 * error, and takes it out of use when the socket closes, a part of a turn of the event loop later.
 * A statement that begins in between is answered by nobody, ever: a worker whose PostgreSQL was
 * killed while it wrote waited for all of its connections until it was started anew. So these
 * sockets tell of their error when they close. Since the driver would wrap them for TLS, and tell
 * of that one's error itself, TLS begins here.
 *
 * What the driver has not written when a socket closes it keeps, and the next connection waits for
 * that write without an end. It is told so after a moment; a few times later it starts afresh.
 */
export class DatabaseSockets implements Disposable {
  readonly #mode: TlsMode;
  readonly #ending = new AbortController();
  #failures = 0;

  constructor(url: string) {
    this.#mode = tlsModeOf(new URLSearchParams(url.split('?')[1]));
  }

  /** Never rejects: what could not be connected fails as soon as it is written to. */
  async open({ host, port, path }: DatabasePlace): Promise<Duplex> {
    const name = host[this.#failures % host.length] ?? 'localhost';
    const number = port[this.#failures % port.length] ?? 5432;
    try {
      return path === false
        ? await this.#connect({ host: name, port: number }, this.#mode)
        : await this.#connect({ path }, 'never');
    } catch (error) {
      this.#failures += 1;
      return failing(error);
    }
  }

  /** Gives up what is being connected, and connects nothing more. */
  [Symbol.dispose](): void {
    this.#ending.abort(connectError('CONNECTION_ENDED', 'the pool is closed'));
  }

  async #connect(
    place: { readonly host: string; readonly port: number } | { readonly path: string },
    mode: TlsMode,
  ): Promise<Socket> {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(connectError('CONNECT_TIMEOUT', 'PostgreSQL does not answer')),
      CONNECT_MS,
    );
    const signal = AbortSignal.any([late.signal, this.#ending.signal]);
    const socket = harmless(connect(place));
    try {
      await until(socket, 'connect', signal);
      const ready =
        mode === 'never' || !('host' in place)
          ? socket
          : await secured(socket, place, mode, signal);
      // The driver names both when something fails.
      return writtenSoon(tellingWhenClosed(Object.assign(ready, place)));
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function tlsModeOf(parameters: URLSearchParams): TlsMode {
  if (parameters.get('sslrootcert') === 'system') return 'verified';
  const asked = parameters.get('sslmode') ?? parameters.get('ssl') ?? 'disable';
  return TLS_MODES.get(asked) ?? 'verified';
}

async function secured(
  socket: Socket,
  { host }: { readonly host: string },
  mode: TlsMode,
  signal: AbortSignal,
): Promise<Socket> {
  socket.write(SSL_REQUEST);
  const answer = await until(socket, 'data', signal);
  const [byte, ...others] = answer instanceof Buffer ? answer : [];
  // More than this one byte was not written by the server (CVE-2021-23222).
  if (byte === DECLINED && others.length === 0 && mode === 'if_offered') return socket;
  if (byte !== ACCEPTED || others.length > 0) {
    throw connectError('ECONNREFUSED', `${host} does not offer TLS, which sslmode asks for`);
  }
  const name = isIP(host) === 0 ? { servername: host } : {};
  const secure = connectTls({ socket, host, rejectUnauthorized: mode === 'verified', ...name });
  await until(harmless(secure), 'secureConnect', signal);
  return secure;
}

/** What the socket says first with this event; throws when it fails or closes before. */
async function until(socket: Socket, event: string, signal: AbortSignal): Promise<unknown> {
  const over = new AbortController();
  const bound = { signal: AbortSignal.any([signal, over.signal]) };
  const closed = once(socket, 'close', bound).then(() => {
    throw connectError('ECONNRESET', 'the connection was closed while it was made');
  });
  try {
    const [value] = await Promise.race([once(socket, event, bound), closed]);
    return value;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    over.abort();
  }
}

/** An error that nobody listens to would end the process. */
function harmless(socket: Socket): Socket {
  return socket.on('error', () => {});
}

function connectError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The driver has to have written before it hears of a failure, or it keeps what it wanted to. */
function failing(error: unknown): Duplex {
  const reason = error instanceof Error ? error : new Error(String(error));
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(reason) });
}

function tellingWhenClosed(socket: Socket): Socket {
  const emit = socket.emit.bind(socket);
  let held: { readonly error: unknown } | null = null;
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event === 'error') {
      held = { error: values[0] };
      return true;
    }
    if (event === 'close' && held !== null) emit('error', held.error);
    return emit(event, ...values);
  };
  return socket;
}

function writtenSoon(socket: Socket): Socket {
  const { bytesWritten } = socket;
  const timer = setTimeout(() => {
    if (socket.bytesWritten === bytesWritten) socket.destroy();
  }, FIRST_WRITE_MS);
  return socket.once('close', () => clearTimeout(timer));
}
