import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { referenceLibrary } from '../reference-library.ts';
import { CONTENT, makeSubscriptions, makeVapidPair, type BrowserSubscription } from './browsers.ts';
import type { Maker } from './maker.ts';

export const WEB_PUSH = 'web-push';

/** What is used of the library. */
interface WebPushLibrary {
  readonly generateRequestDetails: (
    subscription: BrowserSubscription,
    payload: string,
    options: Readonly<Record<string, unknown>>,
  ) => { readonly body: Buffer; readonly headers: Readonly<Record<string, unknown>> };
}

/** The library as its documentation shows it, up to where it would send. */
export async function openWebPushMaker(): Promise<Maker> {
  const { generateRequestDetails } = referenceLibrary(WEB_PUSH) as WebPushLibrary;
  const subscriptions = makeSubscriptions();
  const vapidDetails = { subject: 'mailto:push@example.com', ...makeVapidPair() };
  const options = { vapidDetails, TTL: 3600, urgency: 'high', contentEncoding: 'aes128gcm' };
  return {
    async make(count) {
      for (let index = 0; index < count; index += 1) {
        const subscription = subscriptions[index % subscriptions.length];
        assert(subscription !== undefined);
        const homing = { id: 'ntf_1', rcpt: 'abcdefghijklmnopqrstuv' };
        const payload = JSON.stringify({ ...CONTENT, tag: randomUUID(), homing });
        const { body, headers } = generateRequestDetails(subscription, payload, options);
        assert(body.length > payload.length && headers['Authorization'] !== undefined);
      }
    },
  };
}
