import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, createSecureServer } from 'node:http2';
import type { Http2SecureServer, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer as createHttp1Server } from 'node:https';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it } from 'node:test';
import { fieldValue, Http2Pool, type Http2PoolOptions } from '@homing/h2';
import { poolOptions, post } from './pool-options.ts';
import { PEER_IDENTITY } from './raw-peer.ts';

interface Peer extends AsyncDisposable {
  readonly options: Http2PoolOptions;
  readonly server: Http2SecureServer;
  readonly pool: Http2Pool;
}

/** A bare HTTP/2 server, for what no push provider's simulator would do. */
async function startPeer(
  onStream: (stream: ServerHttp2Stream) => void,
  options: Partial<Http2PoolOptions> = {},
): Promise<Peer> {
  const server = createSecureServer(PEER_IDENTITY);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    onStream(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const known = poolOptions(origin, options);
  const pool = new Http2Pool(known);
  return {
    options: known,
    server,
    pool,
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Relay extends AsyncDisposable {
  readonly origin: string;
  /** Swallows what comes over the connections of now; resolves when the client gives one up. */
  stall(): Promise<unknown>;
}

/**
 * A TCP relay whose connections can be made to stay open and carry nothing, as a dead route does.
 */
async function startRelay(port: number): Promise<Relay> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    clients.add(client);
    client.on('error', () => {});
    upstream.on('error', () => {});
    client.once('close', () => {
      clients.delete(client);
      upstream.destroy();
    });
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stall() {
      const stalled = Array.from(clients);
      for (const client of stalled) client.unpipe().resume();
      return Promise.race(stalled.map((client) => once(client, 'close')));
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(stream: ServerHttp2Stream, body = 'ok'): void {
  stream.respond({ ':status': 200 });
  stream.end(body);
}

describe('the HTTP/2 pool', () => {
  it('reads an answer with its status, headers and body', async () => {
    await using peer = await startPeer((stream) => {
      stream.respond({ ':status': 418, 'retry-after': '7' });
      stream.end('short and stout');
    });
    const result = await post(peer.pool);
    assert(result.kind === 'answer');
    assert.equal(result.status, 418);
    assert.equal(fieldValue(result.fields, 'retry-after'), '7');
    assert.equal(result.body, 'short and stout');
    assert.equal(result.isWhole, true);
    assert.equal(result.authorization, 'bearer x');
  });

  it('keeps the status and drops the body when the answer is endless or cut off', async () => {
    const endings: ((stream: ServerHttp2Stream) => void)[] = [
      (stream) => stream.end('x'.repeat(1_000_000)),
      (stream) => stream.write('half', () => stream.session?.destroy()),
    ];
    await using peer = await startPeer((stream) => {
      stream.respond({ ':status': 200 });
      endings.shift()?.(stream);
    });
    for (let count = 0; count < 2; count += 1) {
      const result = await post(peer.pool);
      assert(result.kind === 'answer');
      assert.equal(result.status, 200);
      assert.equal(result.body, '');
      assert.equal(result.isWhole, false);
    }
  });

  it('does not know what became of a request whose stream is reset with another code', async () => {
    await using peer = await startPeer((stream) =>
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM),
    );
    assert.deepEqual(await post(peer.pool), { kind: 'no_answer', code: 'NETWORK_AFTER_SEND' });
  });

  it('does not know what became of requests below the last stream of a fatal GOAWAY', async () => {
    await using peer = await startPeer(({ session }) =>
      session?.destroy(new Error('x'), constants.NGHTTP2_INTERNAL_ERROR),
    );
    assert.deepEqual(await post(peer.pool), { kind: 'no_answer', code: 'NETWORK_AFTER_SEND' });
  });

  it('gives back a request that HTTP/2 cannot express', async () => {
    await using peer = await startPeer((stream) => answer(stream));
    const result = await post(peer.pool, { note: 'a\r\nb: c' });
    assert(result.kind === 'not_started');
    assert.equal(result.cause, 'invalid_request');
  });

  it('uses one connection again and again, and another one after it was retired', async () => {
    let connections = 0;
    await using peer = await startPeer((stream) => answer(stream));
    peer.server.on('session', () => {
      connections += 1;
    });
    const first = await post(peer.pool);
    await post(peer.pool);
    assert.equal(connections, 1);
    assert(first.kind === 'answer');
    peer.pool.retire(first.connection);
    const third = await post(peer.pool);
    assert.equal(connections, 2);
    peer.pool.retireCarriers('bearer y');
    const fourth = await post(peer.pool);
    assert(third.kind === 'answer' && fourth.kind === 'answer');
    assert.equal(fourth.connection, third.connection);
  });

  it('closes a connection that idles, and one that has become old', async () => {
    for (const limit of [{ idleTimeoutMs: 30 }, { maxAgeMs: 30 }]) {
      await using peer = await startPeer((stream) => answer(stream), limit);
      const opened = once(peer.server, 'session') as Promise<[ServerHttp2Session]>;
      await post(peer.pool);
      const [session] = await opened;
      if (!session.destroyed) await once(session, 'close');
      assert.equal((await post(peer.pool)).kind, 'answer');
    }
  });

  it('gives up a connection on which not even a PING is answered', async () => {
    await using peer = await startPeer((stream) => answer(stream));
    await using relay = await startRelay((peer.server.address() as AddressInfo).port);
    const limits = { answerTimeoutMs: 100, pingTimeoutMs: 100 };
    await using pool = new Http2Pool({ ...peer.options, ...limits, origin: relay.origin });
    assert.equal((await post(pool)).kind, 'answer');
    const lost = relay.stall();
    assert.deepEqual(await post(pool), { kind: 'no_answer', code: 'TIMEOUT' });
    await lost;
    assert.equal((await post(pool)).kind, 'answer');
  });

  it('fails at once while it pauses after a failed connection, and recovers', async () => {
    await using peer = await startPeer((stream) => answer(stream));
    const { port } = peer.server.address() as AddressInfo;
    peer.server.close();
    await once(peer.server, 'close');
    const first = await post(peer.pool);
    const second = await post(peer.pool);
    for (const result of [first, second]) {
      assert(result.kind === 'not_started');
      assert.equal(result.cause, 'connect_failed');
      assert.equal(result.detail, 'ECONNREFUSED');
    }
    peer.server.listen(port, '127.0.0.1');
    await once(peer.server, 'listening');
    const deadline = performance.now() + 5000;
    let result = await post(peer.pool);
    while (result.kind !== 'answer' && performance.now() < deadline) {
      // Each round takes a turn of the event loop; the pause is over after a tenth of a second.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      result = await post(peer.pool);
    }
    assert.equal(result.kind, 'answer');
  });

  it('does not take a server that speaks no HTTP/2 for a provider', async () => {
    const server = createHttp1Server({
      ...PEER_IDENTITY,
      ALPNProtocols: ['http/1.1'],
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using peer = await startPeer((stream) => answer(stream), {
      origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    const result = await post(peer.pool);
    assert(result.kind === 'not_started');
    assert.equal(result.cause, 'connect_failed');
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
});
