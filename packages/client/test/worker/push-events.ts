import type { PushPayload } from '../../src/worker/push-payload.ts';
import type { WorkerClient } from '../../src/worker/worker-client.ts';

/** A worker's global scope as far as one push goes, with a log of what was shown and closed. */
export interface ScopeLog {
  /** Called when something is about to be on the screen. */
  onShow: () => void;
  readonly scope: ServiceWorkerGlobalScope;
  readonly shown: { readonly title: string; readonly options: NotificationOptions }[];
  readonly closed: string[];
  readonly badges: number[];
}

export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
export const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 ' +
  'Safari/537.36';
export const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
  'Version/26.0 Mobile/15E148 Safari/604.1';

export function logScope(userAgent: string): ScopeLog {
  const shown: ScopeLog['shown'] = [];
  const closed: string[] = [];
  const badges: number[] = [];
  const registration = {
    async showNotification(title: string, options: NotificationOptions) {
      log.onShow();
      shown.push({ title, options });
    },
    getNotifications: async ({ tag }: { tag: string }) => [{ close: () => closed.push(tag) }],
  };
  const navigator = { userAgent, setAppBadge: async (count: number) => void badges.push(count) };
  const location = { host: 'shop.example', origin: 'https://shop.example' };
  const scope = { registration, navigator, location } as unknown as ServiceWorkerGlobalScope;
  const log: ScopeLog = { scope, shown, closed, badges, onShow: () => undefined };
  return log;
}

/** A client that knows who is signed in by the addressee tag `anna`. */
export function clientOfAnna(): WorkerClient & { readonly log: string[]; logout(): void } {
  const log: string[] = [];
  let users = ['anna'];
  const isForUser = (rcpt: string | undefined): boolean =>
    rcpt === undefined || users.includes(rcpt);
  return {
    log,
    async received({ id, rcpt }) {
      log.push(`received ${id}`);
      return isForUser(rcpt) ? 'show' : 'withhold';
    },
    async displayed({ id, rcpt }) {
      log.push(`displayed ${id}`);
      return isForUser(rcpt);
    },
    async opened({ id, rcpt }) {
      log.push(`opened ${id}`);
      return isForUser(rcpt);
    },
    dismissed: async ({ id }) => void log.push(`dismissed ${id}`),
    wake: () => void log.push('wake'),
    start: async () => void log.push('start'),
    logout() {
      users = [];
    },
  };
}

export function pushFor(rcpt: string | undefined, more: Partial<PushPayload> = {}): PushPayload {
  const homing = { id: 'ntf_1', ...(rcpt !== undefined && { rcpt }) };
  return { title: 'Shipped', body: 'Parcel 12', tag: 't', ...more, homing };
}
