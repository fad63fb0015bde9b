import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { performServerHandshake } from 'node:http2';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import type { TlsIdentity } from './certificate-authority.ts';
import { Connection } from './connection.ts';
import { http1Exchange, http2Exchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls: TlsIdentity;
  /**
   * PEM; asks clients for a certificate and checks it against this authority, without insisting.
   */
  readonly clientCa: string | null;
  readonly protocols: readonly ('h2' | 'http/1.1')[];
  /** The first SETTINGS frame of every HTTP/2 connection. */
  readonly maxConcurrentStreams: number;
  readonly onConnection: (connection: Connection) => void;
  readonly onExchange: (exchange: Exchange) => void;
}

// A limit that moves with every answer can run ahead of the client's acknowledgements.
const MAX_UNACKNOWLEDGED_SETTINGS = 1000;

/** Starts listening and resolves when connections are accepted. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const listener = new Listener(options);
  await listener.listen();
  return listener;
}

/**
 * The TLS server under a simulator. It does its own protocol negotiation instead of using
 * `http2.createSecureServer`, because a simulator needs the raw TCP socket (to reset it) and one
 * numbered connection per client, whichever protocol that client speaks.
 */
export class Listener implements AsyncDisposable {
  readonly #options: ListenerOptions;
  readonly #server: TlsServer;
  readonly #http1 = createHttpServer();
  readonly #connections = new Set<Connection>();
  // TLSSocket hides the TCP socket below it, so the two are matched by the client's port.
  readonly #tcpByRemotePort = new Map<number, Socket>();
  readonly #byTlsSocket = new WeakMap<Socket, Connection>();
  #connectionCount = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createTlsServer({
      key: options.tls.keyPem,
      cert: options.tls.certificatePem,
      ALPNProtocols: [...options.protocols],
      minVersion: 'TLSv1.2',
      requestCert: options.clientCa !== null,
      rejectUnauthorized: false,
      ...(options.clientCa === null ? {} : { ca: options.clientCa }),
    });
    this.#server.on('connection', (tcp: Socket) => this.#trackTcp(tcp));
    this.#server.on('secureConnection', (tls) => this.#greet(tls));
    this.#http1.on('request', (request, response) => {
      const connection = this.#byTlsSocket.get(request.socket);
      assert(connection !== undefined, 'Every HTTP/1.1 socket comes from #greet.');
      connection.streamOpened();
      response.once('close', () => connection.streamClosed());
      options.onExchange(http1Exchange(connection, request, response));
    });
  }

  /** Living connections, oldest first. */
  get connections(): readonly Connection[] {
    return [...this.#connections];
  }

  get url(): string {
    const address = this.#server.address();
    assert(address !== null && typeof address === 'object', 'The listener is not listening.');
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `https://${host}:${address.port}`;
  }

  listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(this.#options.port, this.#options.host, () => {
      this.#server.off('error', reject);
      resolve();
    });
    return promise;
  }

  /** Ends every connection at once and frees the port. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const connection of this.#connections) connection.destroy();
    for (const tcp of this.#tcpByRemotePort.values()) tcp.destroy();
    await promise;
  }

  #trackTcp(tcp: Socket): void {
    const { remotePort } = tcp;
    if (remotePort === undefined) return;
    this.#tcpByRemotePort.set(remotePort, tcp);
    tcp.once('close', () => this.#tcpByRemotePort.delete(remotePort));
    tcp.on('error', () => tcp.destroy());
  }

  #greet(tls: TLSSocket): void {
    const tcp = this.#tcpByRemotePort.get(tls.remotePort ?? 0);
    // The client can be gone by the time the handshake is done.
    if (tcp === undefined) {
      tls.destroy();
      return;
    }
    tls.on('error', () => tls.destroy());
    this.#connectionCount += 1;
    if (tls.alpnProtocol === 'h2') this.#greetHttp2(this.#connectionCount, tcp, tls);
    else if (this.#options.protocols.includes('http/1.1')) {
      this.#register(new Connection(this.#connectionCount, tcp, tls, null));
      this.#http1.emit('connection', tls);
    } else tls.destroy();
  }

  #greetHttp2(id: number, tcp: Socket, tls: TLSSocket): void {
    // Node's types do not know the second of these options, hence no literal in the call.
    const options = {
      settings: { maxConcurrentStreams: this.#options.maxConcurrentStreams },
      maxOutstandingSettings: MAX_UNACKNOWLEDGED_SETTINGS,
    };
    const session = performServerHandshake(tls, options);
    const connection = new Connection(id, tcp, tls, session);
    // Resets and refused streams surface as errors here too; unhandled, they would be fatal.
    session.on('error', () => session.destroy());
    session.on('stream', (stream, headers, _flags, rawHeaders) => {
      stream.on('error', () => stream.destroy());
      connection.streamOpened();
      stream.once('close', () => connection.streamClosed());
      this.#options.onExchange(http2Exchange(connection, stream, headers, rawHeaders));
    });
    this.#register(connection);
  }

  #register(connection: Connection): void {
    this.#connections.add(connection);
    this.#byTlsSocket.set(connection.tls, connection);
    connection.tls.once('close', () => this.#connections.delete(connection));
    this.#options.onConnection(connection);
  }
}
