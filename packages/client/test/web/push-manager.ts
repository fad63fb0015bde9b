/** A service worker's registration as far as subscriptions go, and what was asked of it. */
export type SubscribedRegistration = ServiceWorkerRegistration & { readonly log: string[] };

/** Stands in for the browser's: at most one subscription, bound to its key (Push API). */
export function pushManager(): SubscribedRegistration {
  const log: string[] = [];
  let current: PushSubscription | null = null;
  let made = 0;
  const manager = {
    getSubscription: async () => current,
    async subscribe({ applicationServerKey }: { applicationServerKey: string }) {
      if (current !== null) throw new DOMException('another key', 'InvalidStateError');
      log.push(`subscribe ${applicationServerKey}`);
      made += 1;
      const endpoint = `https://push.example/${made}`;
      current = {
        toJSON: () => ({ endpoint, keys: { p256dh: 'public', auth: 'secret' } }),
        options: {
          applicationServerKey: Uint8Array.from(Buffer.from(applicationServerKey, 'base64url'))
            .buffer,
        },
        async unsubscribe() {
          log.push('unsubscribe');
          current = null;
          return true;
        },
      } as unknown as PushSubscription;
      return current;
    },
  };
  return { pushManager: manager, log } as unknown as SubscribedRegistration;
}
