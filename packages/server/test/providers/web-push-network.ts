import { randomUUID } from 'node:crypto';
import { NO_OVERRIDES, type Message } from '../../src/domain/message.ts';
import type { Push } from '../../src/domain/push.ts';
import type { Resolve } from '../../src/outbound/public-lookup.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { EncryptionPool } from '../../src/providers/webpush/encryption-pool.ts';
import { createWebPushProvider } from '../../src/providers/webpush/provider.ts';
import { makeMessage } from './pushes.ts';
import { AUTHORITY_PEM } from './small-push-service.ts';
import { makeVapidKeys, requireWebPushSettings, type VapidKeys } from './vapid-keys.ts';
import { WebPushUserAgent } from './web-push-user-agent.ts';

export interface WebPushClientOptions {
  /** Hosts that may be private. */
  readonly hosts: readonly string[];
  readonly keys?: VapidKeys;
  readonly resolve?: Resolve;
  readonly answerTimeoutMs?: number;
  readonly encryption?: EncryptionPool;
}

export interface WebPushClient extends AsyncDisposable {
  readonly provider: Provider;
  readonly keys: VapidKeys;
  /** A push to the subscription of a browser, bound to this client's key. */
  pushTo(endpoint: string, agent?: WebPushUserAgent, fields?: Partial<Push>): Push;
}

/** A provider with a key of its own. */
export function openWebPush(options: WebPushClientOptions): WebPushClient {
  const { hosts, keys = makeVapidKeys(), resolve, answerTimeoutMs } = options;
  const provider = createWebPushProvider({
    settings: requireWebPushSettings(keys),
    reach: { hosts, ca: AUTHORITY_PEM },
    clock: () => new Date(),
    encryption: options.encryption ?? new EncryptionPool(),
    ...(resolve !== undefined && { resolve }),
    ...(answerTimeoutMs !== undefined && { answerTimeoutMs }),
  });
  return {
    provider,
    keys,
    pushTo: (endpoint, agent = new WebPushUserAgent(), fields = {}) => ({
      id: randomUUID(),
      address: { provider: 'webpush', token: endpoint, ...agent.keys, vapidKeyId: keys.publicKey },
      message: makeMessage(),
      rcpt: null,
      collapseScope: null,
      expiresAt: new Date(Date.now() + 3_600_000),
      drawnBySdk: false,
      ...fields,
    }),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

/** A message with what a caller overrides for Web Push. */
export function overriding(webpush: Readonly<Record<string, unknown>>): Message {
  return makeMessage({ overrides: { ...NO_OVERRIDES, webpush } });
}
