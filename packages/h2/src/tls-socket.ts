import { isIP, type LookupFunction, type OnReadOpts } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { SLAB_BYTES } from './frame-writer.ts';

/** Where a connection goes to, and whom it trusts there. */
export interface TlsTarget {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** Valid PEM certificates to trust instead of the system's; null trusts the system's. */
  readonly ca: string | null;
  /** How the name of the host becomes an address; as the system does it unless given. */
  readonly lookup?: LookupFunction;
  /** A client certificate and its key, in PEM, for peers that know their clients by it. */
  readonly identity?: { readonly cert: string; readonly key: string };
}

export interface TlsSocketEvents {
  /** The handshake is done and the peer speaks HTTP/2. */
  onOpen(): void;
  /** So many bytes at the start of a buffer that is only good until the call returns. */
  onBytes(chunk: Buffer, length: number): void;
  /** What was written has gone out, so that there may be room again. */
  onDrain(): void;
  /** The end, for whatever reason; the code of an error, if it was one. */
  onClose(failure: string | null): void;
}

/** The little that HTTP/2 wants of a socket. */
export interface TlsSocket {
  /**
   * It holds back more than one write, which is on its way while the next one is collected: the
   * rest is to wait where it can still be taken back.
   */
  readonly isFull: boolean;
  /** Whether the socket took the bytes: one that has ended takes nothing. */
  write(bytes: Buffer, done: () => void): boolean;
  /** Closes when everything written is out. */
  end(): void;
  destroy(): void;
}

/** How a connection comes by its socket: `openTlsSocket`, or something in its place. */
export type OpenSocket = (target: TlsTarget, events: TlsSocketEvents) => TlsSocket;

/** As large as a read of Node's; a TLS record has at most a quarter of it. */
const READ_BYTES = 64 * 1024;

/**
 * Opens a TLS socket that speaks HTTP/2 (ALPN `h2`). Reads go into one buffer that is used again
 * and again: a stream of chunks would allocate one for each TLS record, and push servers put each
 * answer into a record of its own.
 */
export function openTlsSocket(
  { origin, ca, lookup, identity }: TlsTarget,
  events: TlsSocketEvents,
): TlsSocket {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  let failure: string | null = null;
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  // Node's types leave `onread` to plain sockets, though TLS passes it on.
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port: port === '' ? 443 : Number(port),
    // A name of its own for SNI, which must not be an address (RFC 6066 section 3).
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === null ? {} : { ca }),
    ...(lookup === undefined ? {} : { lookup }),
    ...identity,
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.2',
    onread: {
      buffer,
      callback(length) {
        events.onBytes(buffer, length);
        return true;
      },
    },
  };
  const socket = connect(options);
  socket.setNoDelay(true);
  socket.once('secureConnect', () => {
    if (socket.alpnProtocol === 'h2') return events.onOpen();
    failure = 'ERR_ALPN_NOT_H2';
    socket.destroy();
  });
  socket.on('drain', () => events.onDrain());
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error.code ?? error.name;
  });
  socket.once('close', () => events.onClose(failure));
  return {
    get isFull() {
      return socket.writableLength > SLAB_BYTES;
    },
    write: (bytes, done) => {
      const isTaken = socket.writable;
      if (isTaken) socket.write(bytes, done);
      return isTaken;
    },
    end: () => socket.destroySoon(),
    destroy: () => socket.destroy(),
  };
}
