import type { WorkerSource } from './browser-platform.ts';

/** Which service worker of the page takes the pushes. */
export interface PageWorkerOptions {
  /** One of the site's own, whose worker hands pushes on; what follows is for ours alone. */
  readonly registration?: ServiceWorkerRegistration;
  /** Where the worker's script is, on the page's own origin; default `/homing-worker.js`. */
  readonly script?: string;
  /** Default `homing-push/` beside the script: no page is there, and no other worker's scope. */
  readonly scope?: string;
}

/**
 * The registration that the site gives, or one that is made when a subscription is wanted: visitors
 * who never subscribe get no worker.
 */
export function createPageWorker(options: PageWorkerOptions): WorkerSource {
  const script = new URL(options.script ?? '/homing-worker.js', location.href);
  const scope = new URL(options.scope ?? 'homing-push/', script).href;
  const { serviceWorker } = navigator;
  return {
    async existing() {
      if (options.registration !== undefined) return options.registration;
      // Where ours is missing, the browser answers with one of a wider scope.
      const found = await serviceWorker.getRegistration(scope);
      return found?.scope === scope ? found : null;
    },
    required: async () =>
      activated(options.registration ?? (await serviceWorker.register(script, { scope }))),
  };
}

/** A subscription needs a worker that is active. */
async function activated(
  registration: ServiceWorkerRegistration,
): Promise<ServiceWorkerRegistration> {
  const coming = registration.installing ?? registration.waiting;
  if (registration.active !== null || coming === null) return registration;
  await new Promise<void>((resolve) => {
    coming.addEventListener('statechange', () => {
      if (coming.state === 'activated' || coming.state === 'redundant') resolve();
    });
  });
  return registration;
}
