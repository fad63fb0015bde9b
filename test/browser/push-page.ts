import { Inbox } from './inbox.ts';
import { always, startSite } from './site.ts';

/** A page whose worker reports every push that it gets, by what it says. */
export interface PushPage extends AsyncDisposable {
  readonly url: string;
  /** The next report that has not been looked at. */
  report(): Promise<string>;
}

const WORKER = `
self.addEventListener('push', (event) => {
  const body = event.data === null ? 'nothing' : event.data.text();
  event.waitUntil(fetch('/report', { method: 'POST', body }));
});
`;

export async function startPushPage(): Promise<PushPage> {
  const reports = new Inbox<string>();
  const site = await startSite({
    'GET /': always('text/html', '<!DOCTYPE html><title>Shop</title>'),
    'GET /worker.js': always('text/javascript', WORKER),
    'POST /report': ({ body }) => {
      reports.add(body);
      return {};
    },
  });
  return {
    url: `${site.origin}/`,
    report: () => reports.take('a push'),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
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
