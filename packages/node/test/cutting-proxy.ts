import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server on which connections break. */
export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  /** How many connections were cut so far. */
  readonly cuts: number;
}

/**
 * Lets everything through, and cuts the connection at the first byte of each of the first answers:
 * the server has done what was asked, and the caller cannot know.
 */
export async function startCuttingProxy(target: string, answers: number): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let cuts = 0;
  const server = createServer((caller) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [caller, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        open.delete(socket);
        caller.destroy();
        upstream.destroy();
      });
    }
    caller.pipe(upstream);
    upstream.on('data', (bytes) => {
      if (cuts >= answers) {
        caller.write(bytes);
        return;
      }
      cuts += 1;
      caller.resetAndDestroy();
      upstream.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
