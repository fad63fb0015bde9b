import { rateOf } from '../../domain/rate.ts';
import { requireSettings, type ProviderKind } from '../kind.ts';
import { APPLE_REASONS } from './apple-reasons.ts';
import { EncryptionPool } from './encryption-pool.ts';
import { GOOGLE_REASONS } from './google-reasons.ts';
import { MOZILLA_REASONS } from './mozilla-reasons.ts';
import { WEB_PUSH_PAYLOAD_BYTES } from './padding.ts';
import { measureWebPush } from './payload.ts';
import { createWebPushProvider } from './provider.ts';
import { REASONS } from './reasons.ts';
import { WEB_PUSH_RETRY_POLICY } from './retry-policy.ts';
import { parseWebPushSettings, type WebPushReach } from './settings.ts';
import { WNS_REASONS } from './wns-reasons.ts';

/** VAPID keys: each serves the subscriptions that were made with it. */
export function webPushKind(reach: WebPushReach): ProviderKind {
  const encryption = new EncryptionPool();
  return {
    divide(input) {
      const parsed = parseWebPushSettings(input);
      if (parsed.kind === 'problems') return parsed;
      const { subject, publicKey } = parsed.settings;
      const { privateKey } = input;
      return {
        kind: 'settings',
        settings: {
          // Addresses carry the key that they belong to.
          project: publicKey,
          environments: [],
          topics: [],
          settings: { subject, publicKey },
          secret: { privateKey },
        },
      };
    },
    open(credential, { clock, answerTimeoutMs }) {
      const settings = requireSettings(credential, parseWebPushSettings(credential.settings));
      const provider = createWebPushProvider({
        settings,
        reach,
        clock,
        encryption,
        ...(answerTimeoutMs !== undefined && { answerTimeoutMs }),
      });
      const rate = rateOf(credential.rate, null);
      const bucket = rate === null ? null : { name: `credential/${credential.ref}`, rate };
      return { name: 'webpush', provider, policy: WEB_PUSH_RETRY_POLICY, bucket };
    },
    measure: (push) => ({ bytes: measureWebPush(push), most: WEB_PUSH_PAYLOAD_BYTES }),
    reasons: {
      webpush: REASONS,
      'webpush-fcm': GOOGLE_REASONS,
      'webpush-mozilla': MOZILLA_REASONS,
      'webpush-apple': APPLE_REASONS,
      'webpush-wns': WNS_REASONS,
    },
  };
}
