import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { NO_OVERRIDES, type Message } from '../../packages/server/src/domain/message.ts';
import type { Push } from '../../packages/server/src/domain/push.ts';
import { EncryptionPool } from '../../packages/server/src/providers/webpush/encryption-pool.ts';
import {
  makeReady,
  toRequest,
  type ReadyPush,
} from '../../packages/server/src/providers/webpush/ready-push.ts';
import { parseWebPushSettings } from '../../packages/server/src/providers/webpush/settings.ts';
import { VapidToken } from '../../packages/server/src/providers/webpush/vapid-token.ts';
import { CONTENT, makeSubscriptions, makeVapidPair, type BrowserSubscription } from './browsers.ts';
import type { Maker } from './maker.ts';

/** As many as the dispatcher offers at once. */
const BATCH = 50;

const NEVER = new AbortController().signal;

const MESSAGE: Message = {
  notificationId: 'ntf_1',
  ...CONTENT,
  image: null,
  url: null,
  data: {},
  actions: [],
  badge: null,
  sound: null,
  silent: false,
  priority: 'high',
  collapseKey: null,
  challenge: null,
  overrides: NO_OVERRIDES,
};

/** What our provider does before anything goes to a socket, on its own thread or on several. */
export async function openHomingMaker(threads: number | null): Promise<Maker> {
  const pool = new EncryptionPool(threads === null ? {} : { threads });
  // It ends with its process.
  if (threads !== 0) pool.hold();
  if (threads !== 0) await pool.started();
  const parsed = parseWebPushSettings({ subject: 'mailto:push@example.com', ...makeVapidPair() });
  assert(parsed.kind === 'settings');
  const { settings } = parsed;
  const { publicKey } = settings;
  const subscriptions = makeSubscriptions();
  const [first] = subscriptions;
  assert(first !== undefined);
  const { origin } = new URL(first.endpoint);
  const token = new VapidToken(settings, origin, () => new Date());
  const makeBatch = async (batch: readonly BrowserSubscription[]): Promise<void> => {
    const around = { publicKey, ownHosts: new Set<string>(), now: new Date() };
    const ready = batch.map((one) => makeReady(pushTo(one, publicKey), around));
    assert(ready.every((one): one is ReadyPush => 'plain' in one));
    const bodies = await pool.encrypt(
      ready.map(({ message }) => message),
      { startBefore: performance.now() + 60_000, signal: NEVER },
    );
    for (const [index, one] of ready.entries()) {
      const body = bodies?.[index] ?? null;
      assert(body !== null && toRequest(one, body).body.length === body.length);
      assert(token.authorization().startsWith('vapid t='));
    }
  };
  return {
    async make(count) {
      const batches: Promise<void>[] = [];
      for (let at = 0; at < count; at += BATCH) {
        const size = Math.min(BATCH, count - at);
        const batch = Array.from(
          { length: size },
          (_, index) => subscriptions[(at + index) % subscriptions.length] ?? first,
        );
        batches.push(makeBatch(batch));
        // A few are always under way, as with a dispatcher.
        if (batches.length >= 8) await batches.shift();
      }
      await Promise.all(batches);
    },
  };
}

function pushTo({ endpoint, keys }: BrowserSubscription, vapidKeyId: string): Push {
  return {
    id: randomUUID(),
    address: { provider: 'webpush', token: endpoint, ...keys, vapidKeyId },
    message: MESSAGE,
    rcpt: 'abcdefghijklmnopqrstuv',
    collapseScope: null,
    expiresAt: new Date(Date.now() + 3_600_000),
    drawnBySdk: true,
  };
}
