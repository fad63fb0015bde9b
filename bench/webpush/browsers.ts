import { createECDH, randomBytes } from 'node:crypto';

/** A subscription as the browser hands it out. */
export interface BrowserSubscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** A key pair as tools for VAPID print it. */
export interface VapidPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Enough of them that nothing which is kept by subscription could help. */
const SUBSCRIPTIONS = 5_000;

/** What a page shows: about as long as most notifications are. */
export const CONTENT = {
  title: 'Your order has shipped',
  body: 'Parcel 12345 is on its way and will be with you tomorrow between 9 and 12',
} as const;

export function makeSubscriptions(): readonly BrowserSubscription[] {
  const pair = createECDH('prime256v1');
  return Array.from({ length: SUBSCRIPTIONS }, (_, index) => ({
    endpoint: `https://updates.push.services.mozilla.com/wpush/v2/subscription-${index}`,
    keys: {
      p256dh: pair.generateKeys('base64url'),
      auth: randomBytes(16).toString('base64url'),
    },
  }));
}

export function makeVapidPair(): VapidPair {
  const pair = createECDH('prime256v1');
  const publicKey = pair.generateKeys('base64url');
  const privateKey = pair.getPrivateKey('hex').padStart(64, '0');
  return { publicKey, privateKey: Buffer.from(privateKey, 'hex').toString('base64url') };
}
