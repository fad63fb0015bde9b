import assert from 'node:assert/strict';
import { createECDH } from 'node:crypto';
import {
  parseWebPushSettings,
  type WebPushSettings,
} from '../../src/providers/webpush/settings.ts';

/** What `web-push generate-vapid-keys` prints, with a subject. */
export interface VapidKeys {
  readonly subject: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

export function makeVapidKeys(): VapidKeys {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  return {
    subject: 'mailto:push@example.com',
    publicKey: pair.getPublicKey('base64url'),
    // Leading zeros belong to it.
    privateKey: Buffer.from(pair.getPrivateKey('hex').padStart(64, '0'), 'hex').toString(
      'base64url',
    ),
  };
}

export function requireWebPushSettings(input: unknown): WebPushSettings {
  const parsed = parseWebPushSettings(input);
  assert(parsed.kind === 'settings', JSON.stringify(parsed));
  return parsed.settings;
}
