import { urlOf, type ShownPush } from './shown-push.ts';
import { FORGETFUL, type WorkerClient } from './worker-client.ts';

/**
 * Opens what a notification, or the button `action` on it, leads to, unless somebody else has
 * signed in since it was shown. A tab that is there already comes to the front; where the content
 * names no page, any tab of the site will do.
 */
export async function followClick(
  clients: Clients,
  client: WorkerClient,
  shown: ShownPush,
  action: string,
): Promise<void> {
  const { envelope } = shown;
  const mayOpen = await client.opened(envelope).catch(() => FORGETFUL.opened(envelope));
  if (!mayOpen) return;
  const url = urlOf(shown, action);
  const tabs = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const tab = tabs.find((tab) => url === null || tab.url === url);
  await (tab === undefined ? clients.openWindow(url ?? '/') : tab.focus());
}
