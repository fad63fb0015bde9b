import type { TokenInput } from '@homing/protocol';
import { base64url } from '../core/base64url.ts';
import type { TokenAnswer } from '../core/ports.ts';
import type { ContextChannel } from './context-channel.ts';
import type { VapidKeyAnswer } from './vapid-key.ts';

/**
 * The subscription of a service worker as a token, made if there is none. One that was made with
 * another key than the app's current one is replaced, because nobody can send to it once that key
 * is retired; where the current key cannot be had, what there is serves. Rejects with what the
 * browser says; Chromium says nothing while it cannot reach its push service.
 */
export function subscriptionToken(
  { pushManager }: ServiceWorkerRegistration,
  key: VapidKeyAnswer,
  channel: ContextChannel,
): Promise<TokenAnswer> {
  // Two tabs that replace a subscription at once would drop each other's.
  return navigator.locks.request('homing-subscription', async () => {
    const existing = await pushManager.getSubscription();
    const isCurrent = existing !== null && (typeof key !== 'string' || keyOf(existing) === key);
    if (isCurrent) return { kind: 'token', token: asToken(existing) };
    if (typeof key !== 'string') return key;
    await existing?.unsubscribe();
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    channel.announce('token');
    return { kind: 'token', token: asToken(made) };
  });
}

/** What is there already, whatever its key; null where there is nothing. */
export async function existingToken({
  pushManager,
}: ServiceWorkerRegistration): Promise<TokenInput | null> {
  const subscription = await pushManager.getSubscription();
  return subscription && asToken(subscription);
}

function asToken(subscription: PushSubscription): TokenInput {
  const { endpoint, keys } = subscription.toJSON() as {
    readonly endpoint: string;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  };
  const { p256dh, auth } = keys;
  const application_server_key = keyOf(subscription);
  return { provider: 'webpush', endpoint, keys: { p256dh, auth }, application_server_key };
}

function keyOf({ options }: PushSubscription): string {
  return base64url(new Uint8Array(options.applicationServerKey ?? []));
}
