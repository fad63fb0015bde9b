import { rateOf } from '../../domain/rate.ts';
import { requireSettings, type ProviderKind } from '../kind.ts';
import { apnsPayloadLimit, measureApnsPayload } from './payload.ts';
import { createApnsProvider } from './provider.ts';
import { REASONS } from './reasons.ts';
import { APNS_RETRY_POLICY } from './retry-policy.ts';
import { parseApnsSettings, type ApnsEndpoints } from './settings.ts';

/** APNs keys and certificates: a team, the topics and the environments that they are good for. */
export function apnsKind(endpoints: ApnsEndpoints): ProviderKind {
  return {
    divide(input) {
      const parsed = parseApnsSettings(input);
      if (parsed.kind === 'problems') return parsed;
      const { teamId: project, environments, topics, authentication } = parsed.settings;
      const { privateKeyPem, ...settings } = input;
      const secret = { privateKeyPem };
      const expiresAt = authentication.kind === 'key' ? null : authentication.expiresAt;
      return {
        kind: 'settings',
        settings: { project, environments, topics, settings, secret, expiresAt },
      };
    },
    open(credential, surroundings) {
      const settings = requireSettings(credential, parseApnsSettings(credential.settings));
      const provider = createApnsProvider({ ...surroundings, settings, endpoints });
      const rate = rateOf(credential.rate, null);
      const bucket = rate === null ? null : { name: `credential/${credential.ref}`, rate };
      return { name: 'apns', provider, policy: APNS_RETRY_POLICY, bucket };
    },
    measure: (push) => ({
      bytes: measureApnsPayload(push),
      most: apnsPayloadLimit(push.message),
    }),
    reasons: { apns: REASONS },
  };
}
