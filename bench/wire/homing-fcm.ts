import { createServiceAccount } from '@homing/simulators';
import type { Clock } from '../../packages/server/src/domain/clock.ts';
import { NO_OVERRIDES, type Message } from '../../packages/server/src/domain/message.ts';
import { createFcmProvider } from '../../packages/server/src/providers/fcm/provider.ts';
import { outcomesOf } from '../../packages/server/src/providers/provider.ts';
import { parseFcmSettings } from '../../packages/server/src/providers/fcm/settings.ts';
import type { ProviderTokenStore } from '../../packages/server/src/providers/provider-token-store.ts';
import { FCM_PROJECT, FCM_TEXT, fcmRegistration } from './fcm-push.ts';
import { keepInFlight } from './in-flight.ts';
import type { Sender, SenderTarget } from './sender.ts';
import { wirePush } from './wire-push.ts';

const MESSAGE: Message = {
  ...FCM_TEXT,
  notificationId: '0d6d1a2e-44e2-4d0c-8a32-4a1f0c5b9e77',
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

const EXPIRES_AT = new Date(2_000_000_000_000);

/** Nobody to share a token with. */
const TOKENS: ProviderTokenStore = {
  load: async () => null,
  renew: (mint) => mint(null),
};

const now: Clock = () => new Date();

/** Our provider with all that it does for a push, except for what the database decides. */
export async function openHomingFcm({ url, authorityPem, streams }: SenderTarget): Promise<Sender> {
  const endpoints = { api: url, token: `${url}/token`, ca: authorityPem };
  const { json } = await createServiceAccount(FCM_PROJECT, endpoints.token);
  const parsed = parseFcmSettings({ serviceAccount: json }, endpoints);
  if (parsed.kind === 'problems') throw new Error(JSON.stringify(parsed.problems));
  const { settings } = parsed;
  const provider = createFcmProvider({ settings, endpoints, tokens: TOKENS, clock: now });
  const { signal } = new AbortController();
  let number = 0;
  const send = async (): Promise<void> => {
    number += 1;
    const token = fcmRegistration(number);
    const push = {
      id: wirePush(number).id,
      address: { provider: 'fcm', kind: 'token', project: FCM_PROJECT, token },
      message: MESSAGE,
      rcpt: null,
      collapseScope: null,
      expiresAt: EXPIRES_AT,
      drawnBySdk: false,
    } as const;
    const startBefore = performance.now() + 60_000;
    const [outcome] = await outcomesOf(provider, [push], { startBefore, signal });
    if (outcome?.kind !== 'accepted') throw new Error(`it came back as ${JSON.stringify(outcome)}`);
  };
  return { run: (count) => keepInFlight(count, streams, send) };
}
