import type { ProviderEndpoints } from './config/config.ts';
import { PROVIDERS, type ProviderName } from './domain/address.ts';
import type { AnswerReason } from './domain/answer-reason.ts';
import { answerReasons, OWN_REASONS } from './providers/answer-reasons.ts';
import { apnsKind } from './providers/apns/kind.ts';
import { expoKind } from './providers/expo/kind.ts';
import { fcmKind } from './providers/fcm/kind.ts';
import { hmsKind } from './providers/hms/kind.ts';
import type { ProviderKind } from './providers/kind.ts';
import { webPushKind } from './providers/webpush/kind.ts';

export type ProviderKinds = Readonly<Record<ProviderName, ProviderKind>>;

/** Part of the composition root: the only place that knows which providers exist. */
export function createProviderKinds(endpoints: ProviderEndpoints): ProviderKinds {
  const { apns: production, apnsSandbox: sandbox, fcm: api, googleToken: token, ca } = endpoints;
  const { expo, hms, hmsToken, webPushHosts: hosts } = endpoints;
  return {
    apns: apnsKind({ production, sandbox, ca }),
    fcm: fcmKind({ api, token, ca }),
    webpush: webPushKind({ hosts, ca }),
    expo: expoKind({ api: expo, ca }),
    hms: hmsKind({ api: hms, token: hmsToken, ca }),
  };
}

/** What the answers of all providers, and the lack of one, mean. */
export function reasonsOf(kinds: ProviderKinds): readonly AnswerReason[] {
  const ofProviders = PROVIDERS.flatMap((provider) =>
    answerReasons(provider, kinds[provider].reasons),
  );
  return [...ofProviders, ...OWN_REASONS];
}
