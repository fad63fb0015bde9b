import { rateOf } from '../../domain/rate.ts';
import { requireSettings, type ProviderKind } from '../kind.ts';
import { EXPO_PAYLOAD_BYTES, measureExpoPayload } from './payload.ts';
import { createExpoProvider } from './provider.ts';
import { EXPO_RATE } from './rate.ts';
import { REASONS } from './reasons.ts';
import { EXPO_RETRY_POLICY } from './retry-policy.ts';
import { parseExpoSettings, type ExpoEndpoints } from './settings.ts';

/** Expo projects, with an access token or without. */
export function expoKind(endpoints: ExpoEndpoints): ProviderKind {
  return {
    divide(input) {
      const parsed = parseExpoSettings(input);
      if (parsed.kind === 'problems') return parsed;
      const { accessToken, ...settings } = input;
      const project = parsed.settings.project ?? '';
      const open = { project, environments: [], topics: [], settings };
      const secret = accessToken === undefined ? {} : { accessToken };
      return { kind: 'settings', settings: { ...open, secret } };
    },
    open(credential, { clock, answerTimeoutMs }) {
      const settings = requireSettings(credential, parseExpoSettings(credential.settings));
      const provider = createExpoProvider({
        clock,
        settings,
        endpoints,
        ...(answerTimeoutMs !== undefined && { answerTimeoutMs }),
      });
      const rate = rateOf(credential.rate, EXPO_RATE);
      // Expo counts by project, but anybody may name one, and would use up what another is granted.
      const name = `expo/${credential.ref}`;
      return {
        name: 'expo',
        provider,
        policy: EXPO_RETRY_POLICY,
        bucket: rate === null ? null : { name, rate },
      };
    },
    measure: (push) => ({ bytes: measureExpoPayload(push), most: EXPO_PAYLOAD_BYTES }),
    reasons: { expo: REASONS },
  };
}
