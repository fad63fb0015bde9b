import { once } from 'node:events';
import { connect, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What the driver says of where it wants to connect to. */
export interface DatabasePlace {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a Unix-domain socket; false where there is none. */
  readonly path: string | false;
}

/** `sslmode` of the URL: what happens with a server that offers TLS, or does not. */
type TlsMode = 'never' | 'if_offered' | 'unverified' | 'verified';

const TLS_MODES: Readonly<Record<string, TlsMode>> = {
  disable: 'never',
  false: 'never',
  allow: 'if_offered',
  prefer: 'if_offered',
  require: 'unverified',
};

/** PostgreSQL's request for TLS (its protocol, "SSL Session Encryption"). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const ACCEPTED = 'S'.charCodeAt(0);
const DECLINED = 'N'.charCodeAt(0);
const HANDSHAKE_MS = 10_000;

/**
 * Makes the sockets of a pool, one host after the other where the URL names several.
 *
 * They are made here because the driver (postgres 3.4.9) takes a connection out of use when its
 * socket closes, and Node closes a socket some time after it has told of its error. A statement that
 * begins in between is answered by nobody, ever: a worker whose PostgreSQL was killed while it wrote
 * waited for all of its connections until it was started anew. So these sockets are closed for
 * whoever listens at the moment of their error, and since the driver wraps what it is given, TLS
 * begins here, too.
 */
export function databaseSockets(url: string): (place: DatabasePlace) => Promise<Socket> {
  const mode = tlsModeOf(new URLSearchParams(url.split('?')[1]));
  let made = 0;
  return async ({ host, port, path }) => {
    if (path !== false) return closingAtOnce(connect(path));
    const [name, number] = [host[made % host.length], port[made % port.length]];
    made += 1;
    const socket = connect({ host: name ?? 'localhost', port: number ?? 5432 });
    if (mode === 'never') return closingAtOnce(socket);
    try {
      return closingAtOnce(await secured(socket, name ?? 'localhost', mode));
    } catch (error) {
      socket.destroy();
      return failing(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function tlsModeOf(parameters: URLSearchParams): TlsMode {
  if (parameters.get('sslrootcert') === 'system') return 'verified';
  const asked = parameters.get('sslmode') ?? parameters.get('ssl') ?? 'disable';
  return TLS_MODES[asked] ?? 'verified';
}

async function secured(socket: Socket, host: string, mode: TlsMode): Promise<Socket> {
  socket.write(SSL_REQUEST);
  const signal = AbortSignal.timeout(HANDSHAKE_MS);
  const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
  // More than this one byte was not written by the server (CVE-2021-23222).
  if (answer.length === 1 && answer[0] === DECLINED && mode === 'if_offered') return socket;
  if (answer.length !== 1 || answer[0] !== ACCEPTED) {
    throw new Error(`PostgreSQL at ${host} does not offer TLS, which sslmode asks for`);
  }
  socket.removeAllListeners();
  const secure = connectTls({
    socket,
    rejectUnauthorized: mode === 'verified',
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  await once(secure, 'secureConnect', { signal });
  return secure;
}

/** A socket that fails as soon as somebody listens. */
function failing(error: Error): Socket {
  const socket = new Socket();
  setImmediate(() => socket.destroy(error));
  return closingAtOnce(socket);
}

function closingAtOnce(socket: Socket): Socket {
  const emit = socket.emit.bind(socket);
  let isClosed = false;
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event === 'close') {
      if (isClosed) return false;
      isClosed = true;
    }
    const isHeard = emit(event, ...values);
    if (event === 'error' && !isClosed) {
      isClosed = true;
      emit('close', true);
    }
    return isHeard;
  };
  return socket;
}
