import type { TokenInput } from '@homing/protocol';
import { base64url } from '../core/base64url.ts';
import type { TokenAnswer } from '../core/ports.ts';
import type { ContextChannel } from './context-channel.ts';
import type { VapidKeyAnswer } from './vapid-key.ts';

type WebPushToken = Extract<TokenInput, { readonly provider: 'webpush' }>;

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
    let subscription = await pushManager.getSubscription();
    const isOld = subscription !== null && typeof key === 'string' && keyOf(subscription) !== key;
    if (subscription === null || isOld) {
      if (typeof key !== 'string') return key;
      await subscription?.unsubscribe();
      const wanted = { userVisibleOnly: true, applicationServerKey: key };
      subscription = await pushManager.subscribe(wanted);
      channel.announce('token');
    }
    return { kind: 'token', token: asToken(subscription) };
  });
}

export function asToken(subscription: PushSubscription): TokenInput {
  const { endpoint, keys } = subscription.toJSON() as Pick<WebPushToken, 'endpoint' | 'keys'>;
  const application_server_key = keyOf(subscription);
  return { provider: 'webpush', endpoint, keys, application_server_key };
}

function keyOf({ options }: PushSubscription): string {
  return base64url(new Uint8Array(options.applicationServerKey ?? []));
}
