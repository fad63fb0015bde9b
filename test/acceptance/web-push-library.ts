import type { ECDH } from 'node:crypto';
import type { Agent } from 'node:https';
import type { PushSubscriptionJson } from '@homing/simulators';
import {
  INSTALL_REFERENCES,
  missingLibraries,
  referenceLibrary,
} from '../../bench/reference-library.ts';

/** A key pair as `web-push generate-vapid-keys` prints it. */
export interface VapidKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** What is used here of `web-push`, with which most back ends in Node send to browsers. */
export interface WebPushLibrary {
  generateVAPIDKeys(): VapidKeys;
  sendNotification(
    subscription: Pick<PushSubscriptionJson, 'endpoint' | 'keys'>,
    payload: string | Buffer | null,
    options: {
      readonly vapidDetails: VapidKeys & { readonly subject: string };
      readonly TTL?: number;
      readonly urgency?: string;
      readonly topic?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly agent?: Agent;
    },
  ): Promise<{ readonly statusCode: number; readonly headers: Readonly<Record<string, string>> }>;
}

/** What is used here of `http_ece`, which encrypts for `web-push`. */
export interface EncryptedContentLibrary {
  decrypt(
    body: Buffer,
    options: {
      readonly version: 'aes128gcm';
      readonly privateKey: ECDH;
      readonly authSecret: string;
    },
  ): Buffer;
}

const NAMES = ['web-push', 'http_ece'] as const;
const missing = missingLibraries(NAMES);

/** Why tests that need the libraries cannot run here; false when they can. */
export const WHY_NOT: string | false =
  missing.length === 0 ? false : `${missing.join(', ')} missing: ${INSTALL_REFERENCES}`;

/** Only for tests that are not skipped. */
export function webPushLibrary(): WebPushLibrary {
  return referenceLibrary('web-push') as WebPushLibrary;
}

/** Only for tests that are not skipped. */
export function encryptedContentLibrary(): EncryptedContentLibrary {
  return referenceLibrary('http_ece') as EncryptedContentLibrary;
}
