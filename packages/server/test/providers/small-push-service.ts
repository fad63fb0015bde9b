import { once } from 'node:events';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createCertificateAuthority } from '@homing/simulators';

/** What a push service received. */
export interface TakenMessage {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly httpVersion: string;
}

export interface SmallAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Decides what to answer; null hangs. */
export type Answering = (message: TakenMessage) => SmallAnswer | null;

export interface SmallPushService extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
  /** `127.0.0.1:PORT`, as `HOMING_WEBPUSH_HOSTS` names it. */
  readonly host: string;
  readonly taken: TakenMessage[];
  /** TCP connections so far. */
  readonly connections: () => number;
  answering: Answering;
  /** How long the so-manieth connection, counted from one, waits for its handshake. */
  handshakeDelayMs: (connection: number) => number;
  /** Shows another certificate from now on. */
  certify(issued: { readonly keyPem: string; readonly certificatePem: string }): void;
}

const authority = await createCertificateAuthority();
const tls = await authority.issue(['127.0.0.1', 'localhost']);
export const AUTHORITY_PEM = authority.certificatePem;

const ACCEPT: Answering = () => ({ status: 201, headers: { location: 'https://127.0.0.1/m/1' } });

type AnyRequest = IncomingMessage | Http2ServerRequest;
type AnyResponse = ServerResponse | Http2ServerResponse;

/** A push service that takes everything until it is told otherwise. */
export async function startSmallPushService(
  protocol: 'h2' | 'http/1.1' = 'h2',
): Promise<SmallPushService> {
  const key = { key: tls.keyPem, cert: tls.certificatePem };
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let connections = 0;
  const service: Pick<SmallPushService, 'answering' | 'handshakeDelayMs' | 'taken'> = {
    answering: ACCEPT,
    handshakeDelayMs: () => 0,
    taken: [],
  };
  const listen = (request: AnyRequest, response: AnyResponse): void =>
    void take(service, request, response);
  const server =
    protocol === 'h2'
      ? createSecureServer(key, listen).on('session', (session) => sessions.add(session))
      : createServer(key, listen);
  const door = createTcpServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    const delayMs = service.handshakeDelayMs(connections);
    if (delayMs === 0) server.emit('connection', socket);
    else setTimeout(() => server.emit('connection', socket), delayMs).unref();
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const host = `127.0.0.1:${(door.address() as AddressInfo).port}`;
  return Object.assign(service, {
    origin: `https://${host}`,
    host,
    connections: () => connections,
    certify: ({ keyPem, certificatePem }: typeof tls) =>
      server.setSecureContext({ key: keyPem, cert: certificatePem }),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => door.close(resolve));
    },
  });
}

async function take(
  service: { readonly answering: Answering; readonly taken: TakenMessage[] },
  request: AnyRequest,
  response: AnyResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  request.on('error', () => {});
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { url: path = '', headers, httpVersion } = request;
  const message = { path, headers, body: Buffer.concat(chunks), httpVersion };
  service.taken.push(message);
  const answer = service.answering(message);
  if (answer === null) return;
  (response as ServerResponse).writeHead(answer.status, answer.headers ?? {}).end(answer.body);
}
