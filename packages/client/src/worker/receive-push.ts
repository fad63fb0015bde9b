import { isVisible, type PushPayload } from './push-payload.ts';
import { notificationOf } from './shown-push.ts';
import { FORGETFUL, type WorkerClient } from './worker-client.ts';

/**
 * Shows a push if it is for whoever is signed in here, and nothing otherwise. Rejects with what the
 * browser says where it shows nothing that it should.
 */
export async function receivePush(
  { registration, location, navigator }: ServiceWorkerGlobalScope,
  client: WorkerClient,
  payload: PushPayload,
): Promise<void> {
  const { homing, badge } = payload;
  const verdict = await client.received(homing).catch(() => FORGETFUL.received(homing));
  if (verdict === 'show' && isVisible(payload)) {
    const { title, options } = notificationOf(payload, location.host);
    await registration.showNotification(title, options);
    // Whoever logs out in between has cleared the screen before this was on it.
    const stays = await client.displayed(homing).catch(() => FORGETFUL.displayed(homing));
    if (!stays) return close(registration, options.tag ?? '');
    // Zero takes the number away.
    if (typeof badge === 'number') await navigator.setAppBadge?.(badge).catch(() => undefined);
  } else {
    if (countsSilence(navigator.userAgent)) await showAndClose(registration, location.host);
    // There is a network, or nothing would have come: what waits for one, a logout first of all,
    // goes out now, and the server stops sending what nobody may see.
    client.wake();
  }
}

/**
 * All browsers want a push to show something, and bear with a few that do not. Chromium looks when
 * the event is over: it takes the silence out of a budget that grows with visits, then shows a
 * sentence of its own, and a notification that was closed counts for nothing. Firefox ends a
 * subscription after some 16 between two visits. Both forgive what is rare, and withheld pushes
 * are: showing nothing is best. WebKit alone takes the permission away after three, and only asks
 * whether `showNotification` was called (docs/guides/web.md).
 */
function countsSilence(userAgent: string): boolean {
  return userAgent.includes('AppleWebKit') && !userAgent.includes('Chrom');
}

async function showAndClose(registration: ServiceWorkerRegistration, title: string): Promise<void> {
  const tag = 'homing-nothing';
  await registration.showNotification(title, { tag, silent: true });
  await close(registration, tag);
}

async function close(registration: ServiceWorkerRegistration, tag: string): Promise<void> {
  for (const shown of await registration.getNotifications({ tag })) shown.close();
}
