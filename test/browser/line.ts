import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The network between browsers and a server, which can fail. */
export interface Line extends AsyncDisposable {
  /** What browsers take for the server's address. */
  readonly url: string;
  /** Nothing gets through until it is disposed: connections end, new ones are refused. */
  cut(): Disposable;
}

/** Starts a line to the server at this address. */
export async function startLine(target: string): Promise<Line> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let isCut = false;
  const hold = (socket: Socket): void => {
    open.add(socket);
    // Either end may break off; the other one is told by the pipe.
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
  };
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  const server = createServer((browser) => {
    hold(browser);
    if (isCut) {
      browser.destroy();
      return;
    }
    const upstream = connect({ host: hostname, port: Number(port) });
    hold(upstream);
    browser.pipe(upstream).pipe(browser);
    browser.once('close', () => upstream.destroy());
    upstream.once('close', () => browser.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      endAll();
      return {
        [Symbol.dispose]: () => {
          isCut = false;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      endAll();
      await closed;
    },
  };
}
