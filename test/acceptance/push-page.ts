import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** A page whose worker reports every push that it gets, by what it says. */
export interface PushPage extends AsyncDisposable {
  readonly url: string;
  /** The next report that has not been looked at. */
  report(): Promise<string>;
}

const DEADLINE_MS = 30_000;

const WORKER = `
self.addEventListener('push', (event) => {
  const body = event.data === null ? 'nothing' : event.data.text();
  event.waitUntil(fetch('/report', { method: 'POST', body }));
});
`;

/** Serves the page on \`localhost\`, where browsers allow workers without TLS. */
export async function startPushPage(): Promise<PushPage> {
  const reports: string[] = [];
  const waiters: ((report: string) => void)[] = [];
  const server = createServer((request, response) => {
    void serve(request, response, (report) => {
      const waiter = waiters.shift();
      if (waiter === undefined) reports.push(report);
      else waiter(report);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  return {
    url: `http://localhost:${address.port}/`,
    async report() {
      const present = reports.shift();
      if (present !== undefined) return present;
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const deadline = setTimeout(() => reject(new Error('No push came.')), DEADLINE_MS);
      waiters.push(resolve);
      return promise.finally(() => clearTimeout(deadline));
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  hear: (report: string) => void,
): Promise<void> {
  if (request.url === '/report') {
    hear(await text(request));
    response.end();
  } else if (request.url === '/worker.js') {
    response.setHeader('content-type', 'text/javascript').end(WORKER);
  } else {
    response.setHeader('content-type', 'text/html').end('<!DOCTYPE html><title>Shop</title>');
  }
}

/** What a page runs to subscribe; comes to its subscription as JSON. */
export function subscribeWith(applicationServerKey: string): string {
  return `(async () => {
    await navigator.serviceWorker.register('/worker.js');
    const { pushManager } = await navigator.serviceWorker.ready;
    const applicationServerKey = ${JSON.stringify(applicationServerKey)};
    const options = { userVisibleOnly: true, applicationServerKey };
    return JSON.stringify(await pushManager.subscribe(options));
  })()`;
}

/** What a page runs to end its subscription; comes to "true". */
export const UNSUBSCRIBE = `(async () => {
  const { pushManager } = await navigator.serviceWorker.ready;
  return String(await (await pushManager.getSubscription()).unsubscribe());
})()`;
