import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { outcomesOf } from '../../src/providers/provider.ts';
import { startExpoNetwork } from './expo-network.ts';
import { makeExpoPush } from './pushes.ts';

/** Stands before a server: lets its first connection through when told, and none of the others. */
class SlowDoor implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  readonly #first = Promise.withResolvers<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.push(socket.on('error', () => {}));
      this.#first.resolve(socket);
    });
  }

  static async open(): Promise<SlowDoor> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SlowDoor(server);
  }

  get url(): string {
    const address = this.#server.address();
    assert(address !== null && typeof address === 'object');
    return `https://127.0.0.1:${address.port}`;
  }

  async letFirstThrough(url: string): Promise<void> {
    const first = await this.#first.promise;
    const inner = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    this.#sockets.push(inner);
    first.pipe(inner).pipe(first);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('the connections to Expo', () => {
  it('are kept when they took longer to be made than a push may wait', async () => {
    await using network = await startExpoNetwork();
    await using door = await SlowDoor.open();
    const provider = network.connect({ api: door.url });
    const offer = async (): Promise<string | undefined> => {
      const { signal } = new AbortController();
      const options = { startBefore: performance.now() + 50, signal };
      const [outcome] = await outcomesOf(provider, [makeExpoPush()], options);
      return outcome?.kind;
    };
    assert.equal(await offer(), 'not_started');
    await door.letFirstThrough(network.simulator.url);
    const kinds = new Set<string | undefined>();
    for (let count = 0; count < 40 && !kinds.has('accepted'); count += 1) kinds.add(await offer());
    assert(kinds.has('accepted'), 'the late connection was thrown away');
    assert.equal(network.simulator.connections.length, 1);
  });

  it('are closed after the last answer, and what waits for its turn is given back', async () => {
    await using network = await startExpoNetwork();
    using hold = network.simulator.faults.hold();
    const pushes = Array.from({ length: 800 }, () => makeExpoPush());
    const options = {
      startBefore: performance.now() + 30_000,
      signal: new AbortController().signal,
    };
    const sending = outcomesOf(network.provider, pushes, options);
    await hold.arrived(6);
    const closing = network.provider[Symbol.asyncDispose]();
    hold.release();
    const counts = Map.groupBy(await sending, ({ kind }) => kind);
    await closing;
    assert.deepEqual([...counts.keys()].toSorted(), ['accepted', 'not_started']);
    assert.equal(counts.get('not_started')?.length, 200);
  });
});
