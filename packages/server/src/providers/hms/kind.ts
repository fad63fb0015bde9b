import { rateOf } from '../../domain/rate.ts';
import { requireSettings, type ProviderKind } from '../kind.ts';
import { OAUTH_REASONS } from './oauth-reasons.ts';
import { HMS_PAYLOAD_BYTES, measureHmsPayload } from './payload.ts';
import { createHmsProvider } from './provider.ts';
import { REASONS } from './reasons.ts';
import { HMS_RETRY_POLICY } from './retry-policy.ts';
import { parseHmsSettings, type HmsEndpoints } from './settings.ts';

/** OAuth clients of apps, and service accounts of projects; each serves its kinds of tokens. */
export function hmsKind(endpoints: HmsEndpoints): ProviderKind {
  return {
    divide(input) {
      const parsed = parseHmsSettings(input);
      if (parsed.kind === 'problems') return parsed;
      const { kinds: topics } = parsed.settings;
      const project =
        parsed.settings.kind === 'client' ? parsed.settings.appId : parsed.settings.projectId;
      const { clientSecret, serviceAccount, ...settings } = input;
      const secret = serviceAccount === undefined ? { clientSecret } : { serviceAccount };
      return {
        kind: 'settings',
        settings: { project, environments: [], topics, settings, secret },
      };
    },
    open(credential, surroundings) {
      const settings = requireSettings(credential, parseHmsSettings(credential.settings));
      const provider = createHmsProvider({ ...surroundings, settings, endpoints });
      const rate = rateOf(credential.rate, null);
      const bucket = rate === null ? null : { name: `credential/${credential.ref}`, rate };
      return { name: 'hms', provider, policy: HMS_RETRY_POLICY, bucket };
    },
    measure: (push) => ({ bytes: measureHmsPayload(push), most: HMS_PAYLOAD_BYTES }),
    reasons: { hms: REASONS, 'hms-oauth': OAUTH_REASONS },
  };
}
